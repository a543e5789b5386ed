/** The fate of every steer and every task of one tree or of a whole namespace, read from the log. */
import type { Bus } from '../../../bus/bus.ts';
import { parseStatus } from '../../../bus/log/projection.ts';
import { parseSteering } from '../../../bus/log/steering-log.ts';
import { scanStream } from '../../../bus/log/stream-scan.ts';
import { type Account, owedBy } from '../../models/bus/account.ts';

/** @param root Root of the tree; by default all trees. */
export async function accountsOf(bus: Bus, root = '*'): Promise<Map<string, Account>> {
  const { subjects } = bus;
  const tasks = new Map<string, Account>();
  const filter_subjects = (['status', 'steering', 'result'] as const).map((channel) => subjects.every(channel, root));
  await scanStream(bus, subjects.logStream, { filter_subjects }, (message) => {
    const { tokens, channel } = subjects.parse(message.subject)!;
    const account = tasks.get(tokens) ?? { statuses: [], steers: [], results: [] };
    tasks.set(tokens, account);
    if (channel === 'status') account.statuses.push(parseStatus(message.data)!);
    else if (channel === 'result') account.results.push(message.seq);
    else
      account.steers.push(
        parseSteering({ data: message.data, seq: message.seq, time: message.time, header: message.headers }).steer,
      );
  });
  return tasks;
}

/** Final receipts and results that are missing and may still come. */
export const owed = (all: ReadonlyMap<string, Account>): string[] =>
  [...all].flatMap(([task, account]) => owedBy(account).map((what) => `${task}: ${what}`));
