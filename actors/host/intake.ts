/**
 * Takes steers off the log for one hosted task, in the stream's order, each once (G). What is checked here is what a chart cannot know:
 * duplicates, malformed messages, `expect`, lateness. What the chart takes is in its ledger; the rest is owed a `returned`.
 */

import type { Steering } from '../../bus/log/steering-log.ts';
import type { CallOutcome, Receipt, SteeringMessage } from '../../bus/messages.ts';
import { type InFlight, returned, type StateRecord } from '../../bus/state/state-record.ts';
import type { Steer } from '../../machines/steering.ts';
import { isProven } from './in-flight-calls.ts';
import { type Inbox, receiptsOf } from './receipts.ts';
import type { HostedSnapshot, Role } from './role.ts';

/** The machine as the intake uses it. */
export interface Steerable {
  snapshot(): HostedSnapshot;
  send(event: { type: string }): void;
  /** The call of a writing tool that the last commit marks. */
  inFlight(): InFlight | null;
  addArtifacts(names: readonly string[]): void;
  note(text: string): void;
}

export class Intake {
  readonly #role: Pick<Role, 'eventOf' | 'calls'>;
  readonly #now: () => Date;
  readonly #record: StateRecord;
  /** Log sequences of the steers that are open. */
  readonly #seqs: Map<string, number>;
  /** Steers that never reached the machine: they are in no ledger. */
  readonly #known: Set<string>;
  #owed: Receipt[] = [];
  /** Log sequence up to which everything is taken. */
  cursor: number;

  constructor(record: StateRecord, role: Pick<Role, 'eventOf' | 'calls'>, now: () => Date) {
    this.#record = record;
    this.#role = role;
    this.#now = now;
    this.#seqs = new Map(record.inbox.map(({ steer, seq }) => [steer, seq]));
    this.#known = new Set(record.known);
    this.cursor = record.steeringCursor;
  }

  take(steering: Steering, machine: Steerable): void {
    this.cursor = steering.seq;
    const { steer, seq, message, problem } = steering;
    const isInLedger = () => machine.snapshot().context.steers.some(({ id }) => id === steer);
    if (this.#known.has(steer) || isInLedger()) return;
    if (message?.type === 'outcome') {
      this.#takeOutcome(message, seq, machine);
      return;
    }
    const reason = message ? this.#offer(steer, seq, message, machine) : problem;
    if (reason === null && isInLedger()) return;
    this.#known.add(steer);
    const type = message?.type ?? 'unknown';
    this.#owed.push(returned(steer, type, seq, reason ?? `a ${this.#record.spec.type} task takes no ${type} now`));
  }

  /** @returns why it was not given to the machine; null if it was. */
  #offer(steer: string, seq: number, message: SteeringMessage, machine: Steerable): string | null {
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

  /** What a worker that lost the task knows of the call in doubt: it answers the question (PROTOCOL line 10). Whoever posts it must prove it. */
  #takeOutcome(message: CallOutcome, seq: number, machine: Steerable): void {
    const { id, type, call, text, failed, artifacts } = message;
    this.#known.add(id);
    const { status, context } = machine.snapshot();
    const event = this.#role.calls?.returned(call, text, failed);
    const flight = machine.inFlight();
    // Only while it is asked about: once it runs again, what comes of the earlier run is not what came of this one.
    if (status !== 'active' || context.question?.kind !== 'in-doubt' || !event)
      this.#owed.push(returned(id, type, seq, 'no call of this task is in doubt'));
    else if (!flight || !isProven(message, flight) || !machine.snapshot().can(event))
      this.#owed.push(returned(id, type, seq, 'it is not of the run of the call that is in doubt'));
    else {
      machine.send(event);
      machine.addArtifacts(artifacts);
      machine.note(`the worker that was lost has told how its call ended: that answers question ${context.question.id}`);
      const base = { steer: id, kind: type, seq };
      this.#owed.push({ ...base, fate: 'accepted' }, { ...base, fate: 'applied', step: context.step });
    }
  }

  /** A call in doubt may still be running in a worker that was thought dead: it is not run again before that is ruled out. */
  #tooEarly(message: SteeringMessage, question: HostedSnapshot['context']['question']): string | null {
    if (message.type !== 'answer' || question?.kind !== 'in-doubt' || question.id !== message.question) return null;
    if (message.text.trim().toLowerCase() !== 'run it again') return null;
    const leftMs = Date.parse(this.#record.doubtfulUntil ?? '') - this.#now().getTime();
    return leftMs > 0 ? `the worker that was lost may still be running it: answer again in ${Math.ceil(leftMs / 1000)} s` : null;
  }

  /** What a commit owes the operators, given the ledger of the commit before and the one it writes. */
  takeReceipts(
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
