/** What the log says became of every steer and every task, for the whole of a crew: the public record, read from its beginning. */
import type { Bus } from '../../../bus/bus.ts';
import type { Receipt, Status } from '../../../bus/messages.ts';
import { parseStatus } from '../../../bus/projection.ts';
import { parseSteering } from '../../../bus/steering-log.ts';

export interface TaskAccount {
  readonly statuses: Status[];
  /** Ids of steering messages in the stream's order; a repeated one is there twice. */
  readonly steers: string[];
  results: number;
}

export async function accounts({ js, subjects }: Bus): Promise<Map<string, TaskAccount>> {
  const tasks = new Map<string, TaskAccount>();
  const consumer = await js.consumers.get(subjects.logStream);
  if ((await consumer.info()).num_pending === 0) return tasks;
  const messages = await consumer.consume();
  for await (const message of messages) {
    const { tokens, channel } = subjects.parse(message.subject)!;
    const account = tasks.get(tokens) ?? { statuses: [], steers: [], results: 0 };
    tasks.set(tokens, account);
    if (channel === 'status') account.statuses.push(parseStatus(message.data)!);
    else if (channel === 'result') account.results++;
    else account.steers.push(parseSteering({ data: message.data, seq: message.seq, header: message.headers }).steer);
    if (message.info.pending === 0) break;
  }
  await messages.close();
  return tasks;
}

export const isFinal = ({ fate }: Receipt): boolean => fate === 'applied' || fate === 'returned';

/** Receipts by steer, in the order in which they were given. */
export function receiptsBySteer({ statuses }: TaskAccount): Map<string, Receipt[]> {
  const bySteer = new Map<string, Receipt[]>();
  for (const receipt of statuses.flatMap(({ receipts }) => receipts))
    bySteer.set(receipt.steer, [...(bySteer.get(receipt.steer) ?? []), receipt]);
  return bySteer;
}

/** What is wrong with a task that has ended: G (one final receipt per steer, and it comes last) and D (one result). */
export function faultsOf(account: TaskAccount): string[] {
  const faults: string[] = [];
  const bySteer = receiptsBySteer(account);
  for (const steer of new Set(account.steers)) {
    const receipts = bySteer.get(steer) ?? [];
    if (receipts.filter(isFinal).length !== 1 || !isFinal(receipts.at(-1)!))
      faults.push(`G ${steer} got ${JSON.stringify(receipts)}`);
  }
  for (const steer of bySteer.keys()) if (!account.steers.includes(steer)) faults.push(`G nobody sent ${steer}`);
  if (account.results !== 1) faults.push(`D ${account.results} results`);
  const order = account.statuses.map(({ commit }) => commit);
  if (order.some((commit, i) => i > 0 && commit <= order[i - 1]!)) faults.push(`D statuses out of order: ${order}`);
  return faults;
}
