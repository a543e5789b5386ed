/**
 * Limits for the steering of a task, so that a flood costs receipts and nothing else. Each type of message has a rate of its own,
 * so that a flood of corrections keeps out no answer. A `cancel` is never refused.
 * Rule `steering-limits` (docs/task-protocol.md).
 */
import type { SteeringMessage, SteeringType } from '../../bus/messages.ts';
import type { Ledger } from '../../machines/steering-ledger.ts';

const mostInMinute = 600;
const minuteMs = 60_000;
/** Most messages that wait for a model call, and most characters in them. */
const mostWaiting = 100;
const mostWaitingChars = 262_144;

export class SteeringLimits {
  /** When the log stored the last messages of each type that the task has taken, in ms. */
  readonly #taken = new Map<SteeringType, number[]>();

  /** @returns why the task does not take the message; null if it does, and then it counts. @param at when the log stored it. */
  exceeded(message: SteeringMessage, at: number, ledger: Ledger): string | null {
    const { type } = message;
    if (type === 'cancel') return null;
    const waiting = ledger.filter(({ fate }) => fate === 'queued');
    const chars = waiting.reduce((sum, { text }) => sum + text.length, 'text' in message ? message.text.length : 0);
    if (waiting.length >= mostWaiting || chars > mostWaitingChars)
      return `${waiting.length} messages wait for the next model call, and no more fit: send it again after that call`;
    const taken = this.#taken.get(type) ?? [];
    if (taken.length >= mostInMinute && at - taken[0]! < minuteMs)
      return `the task takes at most ${mostInMinute} messages of the type ${type} in a minute: send it again later`;
    this.#taken.set(type, [...taken.slice(1 - mostInMinute), at]);
    return null;
  }
}
