/**
 * Takes steers off the log for one hosted task, in the stream's order, each once (G). What is checked here is what a chart cannot know:
 * duplicates, malformed messages, `expect`, lateness. What the chart takes is in its ledger; the rest is owed a `returned`.
 */
import type { Receipt, SteeringMessage } from '../bus/messages.ts';
import { returned, type StateRecord } from '../bus/state-record.ts';
import type { Steering } from '../bus/steering-log.ts';
import type { Steer } from '../machines/steering.ts';
import { type Inbox, receiptsOf } from './receipts.ts';
import type { HostedSnapshot, Role } from './role.ts';

/** The machine as the intake uses it. */
export interface Steerable {
  snapshot(): HostedSnapshot;
  send(event: { type: string }): void;
}

export class Intake {
  readonly #role: Pick<Role, 'eventOf'>;
  readonly #now: () => Date;
  readonly #record: StateRecord;
  /** Log sequences of the steers that are open. */
  readonly #seqs: Map<string, number>;
  /** Steers that never reached the machine: they are in no ledger. */
  readonly #known: Set<string>;
  #owed: Receipt[] = [];
  /** Log sequence up to which everything is taken. */
  cursor: number;

  constructor(record: StateRecord, role: Pick<Role, 'eventOf'>, now: () => Date) {
    this.#record = record;
    this.#role = role;
    this.#now = now;
    this.#seqs = new Map(record.inbox.map(({ steer, seq }) => [steer, seq]));
    this.#known = new Set(record.known);
    this.cursor = record.steeringCursor;
  }

  take(steering: Steering, machine: Steerable): void {
    this.cursor = steering.seq;
    const { steer, seq, message } = steering;
    const isInLedger = () => machine.snapshot().context.steers.some(({ id }) => id === steer);
    if (this.#known.has(steer) || isInLedger()) return;
    const reason = this.#offer(steering, machine);
    if (reason === null && isInLedger()) return;
    this.#known.add(steer);
    const type = message?.type ?? 'unknown';
    this.#owed.push(returned(steer, type, seq, reason ?? `a ${this.#record.spec.type} task takes no ${type} now`));
  }

  /** @returns why it was not given to the machine; null if it was. */
  #offer({ steer, seq, message, problem }: Steering, machine: Steerable): string | null {
    if (!message) return problem;
    const { status, context } = machine.snapshot();
    if (status !== 'active') return 'the task has ended';
    const expected = 'expect' in message ? message.expect?.step : undefined;
    if (expected !== undefined && expected !== context.step)
      return `the task is at step ${context.step}, not at step ${expected}`;
    const early = this.#tooEarly(message, context.question);
    if (early) return early;
    const translated = this.#role.eventOf(steer, message);
    if ('refused' in translated) return translated.refused;
    this.#seqs.set(steer, seq);
    machine.send(translated.event);
    return null;
  }

  /** A call in doubt may still be running in a worker that was thought dead: it is not run again before that is ruled out. */
  #tooEarly(message: SteeringMessage, question: HostedSnapshot['context']['question']): string | null {
    if (message.type !== 'answer' || question?.kind !== 'in-doubt' || question.id !== message.question) return null;
    if (message.text.trim().toLowerCase() !== 'run it again') return null;
    const leftMs = Date.parse(this.#record.doubtfulUntil ?? '') - this.#now().getTime();
    return leftMs > 0 ? `the worker that was lost may still be running it: answer again in ${Math.ceil(leftMs / 1000)} s` : null;
  }

  /** What a commit owes the operators, given the ledger of the commit before and the one it writes. */
  settle(
    before: readonly Steer[],
    after: readonly Steer[],
    crash: string | null,
  ): { receipts: Receipt[]; inbox: Inbox; known: string[] } {
    // A machine that failed gives nothing back by itself.
    const ledger = crash === null ? after : after.map((steer) => givenBack(steer, crash));
    const { receipts, inbox } = receiptsOf(this.#record.id, before, ledger, this.#seqs);
    const owed = this.#owed;
    this.#owed = [];
    return { receipts: [...owed, ...receipts].sort((a, b) => a.seq - b.seq), inbox, known: [...this.#known] };
  }
}

const givenBack = (steer: Steer, crash: string): Steer =>
  steer.fate === 'queued' ? { ...steer, fate: 'returned', reason: `the task has ended: ${crash}` } : steer;
