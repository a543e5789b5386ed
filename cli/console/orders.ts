/** Relays the orders of a page by the operator's own client of the crew, and waits a while for what becomes of them. */
import { z } from 'zod';
import type { Crew } from '../../bus/crew.ts';
import { type Receipt, SteeringMessage, TaskSpec } from '../../bus/messages.ts';
import { describe } from '../../bus/parse-message.ts';
import { TaskId } from '../../bus/task-id.ts';
import { CoxError } from '../../platform/errors.ts';
import { withTimeLimit } from '../../platform/time-limit.ts';
import { unknownTask } from '../errors.ts';
import type { OrderReply } from './wire.ts';

const Order = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('steer'), task: TaskId, message: SteeringMessage }).strict(),
  z
    .object({ kind: z.literal('dispatch'), spec: TaskSpec.pick({ type: true, instruction: true, backend: true }).strict() })
    .strict(),
]);

/** Longest time, in ms, that a reply waits for the final receipt. The page hears later receipts by itself. */
const receiptsMs = 4_000;

/** @returns a function that throws CoxError `bad-request`, `unknown-task`, and every error of the crew. */
export const orderRelay = (crew: Crew, signal: AbortSignal) => (body: unknown) => relay(crew, body, signal);

async function relay(crew: Crew, body: unknown, signal: AbortSignal): Promise<OrderReply> {
  const { data: order, error } = Order.safeParse(body);
  if (!order) throw new CoxError('bad-request', describe(error), { hint: 'Load the page of the console again.' });
  if (order.kind === 'dispatch') return { kind: 'dispatch', id: await crew.dispatch(order.spec, signal) };
  const { task, message } = order;
  if (!(await crew.status(task))) throw unknownTask(task, []);
  const sent = await crew.steer(task, message, signal);
  return { kind: 'steer', ...sent, receipts: await receiptsOf(crew, task, sent, signal) };
}

/** The message is stored by now, so nothing that goes wrong here is an error: the page would send it again. */
async function receiptsOf(
  crew: Crew,
  task: TaskId,
  sent: { steer: string; seq: number },
  signal: AbortSignal,
): Promise<Receipt[]> {
  const receipts: Receipt[] = [];
  const listen = async (until: AbortSignal) => {
    for await (const receipt of crew.receipts(task, sent, until)) receipts.push(receipt);
  };
  await withTimeLimit(receiptsMs, listen, signal).catch(() => {});
  return receipts;
}
