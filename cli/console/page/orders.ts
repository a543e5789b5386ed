/**
 * Orders of the operator. They need an unlocked session; `steer` says what became of a message, and its later receipts come with
 * the statuses of the task. Nothing is sent twice: an order that failed is said so, and the operator decides.
 */
import type { SteeringInput } from '../../../bus/messages.ts';
import type { OrderReply } from '../wire.ts';
import { order, Refused } from './http.ts';
import { say } from './say.ts';
import { refresh } from './session.ts';
import { line } from './text.ts';

/** @returns null if it was refused; the operator has been told why. */
export async function steer(task: string, message: SteeringInput): Promise<Extract<OrderReply, { kind: 'steer' }> | null> {
  try {
    const reply = await order({ kind: 'steer', task, message });
    const last = reply.receipts.at(-1);
    const reason = last?.reason ? `: ${line(last.reason, 160)}` : '';
    if (last?.fate === 'returned') say(`${task} returned it${reason}`, 'bad');
    else say(`${task}: ${message.type} ${last ? last.fate : 'sent'}${reason}`, 'good');
    return reply;
  } catch (cause) {
    refused(cause);
    return null;
  }
}

/** @returns the id of the new task, or null. */
export async function dispatch(type: string, instruction: string, backend?: string): Promise<string | null> {
  try {
    return (await order({ kind: 'dispatch', spec: { type, instruction, ...(backend && { backend }) } })).id;
  } catch (cause) {
    refused(cause);
    return null;
  }
}

function refused(cause: unknown): void {
  const { message, hint } = cause instanceof Refused ? cause : { message: String(cause), hint: '' };
  say(`${line(message, 240)}. ${line(hint, 240)}`, 'bad');
  // The session may be locked or over by now, and the page does not know it yet.
  if (cause instanceof Refused) void refresh();
}
