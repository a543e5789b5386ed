/** The fate of every steer and every task of a crew, read from the beginning of the log. */
import type { Bus } from '../../../bus/bus.ts';
import { parseStatus } from '../../../bus/log/projection.ts';
import { parseSteering } from '../../../bus/log/steering-log.ts';
import type { Receipt, Status } from '../../../bus/messages.ts';

export interface Account {
  readonly statuses: Status[];
  /** Ids of steering messages in the stream’s order; a repeated one is there twice. */
  readonly steers: string[];
  /** Log sequences of results. */
  readonly results: number[];
}

export async function accounts({ js, subjects }: Bus): Promise<Map<string, Account>> {
  const tasks = new Map<string, Account>();
  const consumer = await js.consumers.get(subjects.logStream);
  if ((await consumer.info()).num_pending === 0) return tasks;
  const messages = await consumer.consume();
  for await (const message of messages) {
    const { tokens, channel } = subjects.parse(message.subject)!;
    const account = tasks.get(tokens) ?? { statuses: [], steers: [], results: [] };
    tasks.set(tokens, account);
    if (channel === 'status') account.statuses.push(parseStatus(message.data)!);
    else if (channel === 'result') account.results.push(message.seq);
    else
      account.steers.push(
        parseSteering({ data: message.data, seq: message.seq, time: message.time, header: message.headers }).steer,
      );
    if (message.info.pending === 0) break;
  }
  await messages.close();
  return tasks;
}

export const isFinal = ({ fate }: Receipt): boolean => fate === 'applied' || fate === 'returned';

/** Receipts by steer, in the order in which they were given. */
export function receiptsBySteer({ statuses }: Account): Map<string, Receipt[]> {
  const bySteer = new Map<string, Receipt[]>();
  for (const receipt of statuses.flatMap(({ receipts }) => receipts))
    bySteer.set(receipt.steer, [...(bySteer.get(receipt.steer) ?? []), receipt]);
  return bySteer;
}

/** Final receipts and results that an ended task still owes. They may come a moment later. */
export function owedBy(account: Account): string[] {
  const bySteer = receiptsBySteer(account);
  const unsettled = [...new Set(account.steers)].filter((steer) => !bySteer.get(steer)?.some(isFinal));
  return [...unsettled.map((steer) => `G ${steer} has no final receipt`), ...(account.results.length > 0 ? [] : ['D no result'])];
}

/**
 * Errors that no later message can correct: G (one final receipt per steer, its last), D (one result, statuses in order), X
 * (nothing applied after the end).
 */
export function faultsOf(account: Account): string[] {
  const { statuses, steers, results } = account;
  const faults: string[] = [];
  for (const [steer, receipts] of receiptsBySteer(account)) {
    const first = receipts.findIndex(isFinal);
    if (first >= 0 && first < receipts.length - 1) faults.push(`G after the final receipt: ${JSON.stringify(receipts)}`);
    if (!steers.includes(steer)) faults.push(`G nobody sent ${steer}`);
  }
  if (results.length > 1) faults.push(`D ${results.length} results`);
  const commits = statuses.map(({ commit }) => commit);
  if (commits.some((commit, i) => i > 0 && commit <= commits[i - 1]!)) faults.push(`D statuses out of order: ${commits}`);
  const end = statuses.findIndex(({ state }) => state === 'done');
  const late = end < 0 ? [] : statuses.slice(end + 1).flatMap(({ receipts }) => receipts);
  for (const receipt of late) if (receipt.fate !== 'returned') faults.push(`X after the end: ${JSON.stringify(receipt)}`);
  return faults;
}
