/**
 * Takes steers off the log for one hosted task, in the stream's order, each once (G). It checks the things that a chart cannot
 * know: duplicates, malformed messages, `expect`, lateness, floods. A steer that the chart takes is in its ledger; every other one
 * gets a `returned`.
 * Rules `steer-intake`, `in-doubt`, `known-steers` and `steering-limits` (docs/task-protocol.md).
 */

import { remembered } from '../../bus/log/returned-steers.ts';
import type { Steering } from '../../bus/log/steering-log.ts';
import type { CallOutcome, PlanRow, Receipt, SteeringMessage } from '../../bus/messages.ts';
import { type InFlight, returned, type StateRecord } from '../../bus/state/state-record.ts';
import { chosen } from '../../machines/answer.ts';
import type { Steer } from '../../machines/steering-ledger.ts';
import { isProven } from './in-flight-calls.ts';
import { type Inbox, type Origin, receiptsOf } from './receipts.ts';
import type { HostedSnapshot, Role } from './role.ts';
import { SteeringLimits } from './steering-limits.ts';

/** The part of a hosted machine that the intake needs. */
export interface Steerable {
  snapshot(): HostedSnapshot;
  send(event: { type: string }): void;
  /** The in-flight call of the last commit. */
  inFlight(): InFlight | null;
  addArtifacts(names: readonly string[]): void;
  note(text: string): void;
}

export class Intake {
  readonly #role: Pick<Role, 'eventOf' | 'calls'>;
  readonly #now: () => Date;
  readonly #record: StateRecord;
  /** Origins of the open steers, by their ids. */
  readonly #origins: Map<string, Origin>;
  /** Ids of steers that never reached the machine, so that no ledger has them. */
  #known: Set<string>;
  readonly #limits = new SteeringLimits();
  #owed: Receipt[] = [];
  /** Log sequence up to which all steers are taken. */
  cursor: number;

  constructor(record: StateRecord, role: Pick<Role, 'eventOf' | 'calls'>, now: () => Date) {
    this.#record = record;
    this.#role = role;
    this.#now = now;
    this.#origins = new Map(record.inbox.map(({ steer, kind: _, ...origin }) => [steer, origin]));
    this.#known = new Set(record.known);
    this.cursor = record.steeringCursor;
  }

  take(steering: Steering, machine: Steerable): void {
    this.cursor = steering.seq;
    const { steer, seq, message, problem, by } = steering;
    const isInLedger = () => machine.snapshot().context.steers.some(({ id }) => id === steer);
    if (this.#known.has(steer) || isInLedger()) return;
    if (message?.type === 'outcome') {
      this.#takeOutcome(message, seq, machine);
      return;
    }
    const reason = message ? this.#offer(steering, message, machine) : problem;
    if (reason === null && isInLedger()) return;
    this.#known.add(steer);
    const type = message?.type ?? 'unknown';
    this.#owed.push(returned(steer, type, seq, reason ?? `a ${this.#record.spec.type} task takes no ${type} now`, by));
  }

  /** @returns why the machine was not given the message; null if it was. */
  #offer({ steer, seq, at, by }: Steering, message: SteeringMessage, machine: Steerable): string | null {
    const { status, context } = machine.snapshot();
    if (status !== 'active') return 'the task has ended';
    const expected = 'expect' in message ? message.expect?.step : undefined;
    if (expected !== undefined && expected !== context.step)
      return `the task is at step ${context.step}, not at step ${expected}`;
    const early = this.#tooEarly(message, context.question);
    if (early) return early;
    const translated = this.#role.eventOf(steer, message);
    if ('refused' in translated) return translated.refused;
    const flood = this.#limits.exceeded(message, at, context.steers);
    if (flood) return flood;
    this.#origins.set(steer, { seq, ...(by && { by }) });
    machine.send(translated.event);
    return null;
  }

  /**
   * An outcome from the worker that lost the task answers the question about the call in doubt, if it is proven
   * (rule `lost-call-outcome`).
   */
  #takeOutcome(message: CallOutcome, seq: number, machine: Steerable): void {
    const { id, type, call, text, failed, artifacts, changes } = message;
    this.#known.add(id);
    const { status, context } = machine.snapshot();
    const event = this.#role.calls?.returned(call, { text, failed, changes: changes ?? [] });
    const flight = machine.inFlight();
    // Only while the question is open: once the call runs again, the outcome of the earlier run is not that of the new run.
    if (status !== 'active' || context.question?.kind !== 'in-doubt' || !event)
      this.#owed.push(returned(id, type, seq, 'no call of this task is in doubt'));
    else if (!flight || !isProven(message, flight) || !machine.snapshot().can(event))
      this.#owed.push(returned(id, type, seq, 'this outcome is not proven to be of the call that is in doubt'));
    else {
      machine.send(event);
      machine.addArtifacts(artifacts);
      machine.note(`the lost worker has posted the outcome of its call: that answers question ${context.question.id}`);
      const base = { steer: id, kind: type, seq };
      this.#owed.push({ ...base, fate: 'accepted' }, { ...base, fate: 'applied', step: context.step });
    }
  }

  /** A call in doubt may still be running in the lost worker, so `run it again` is refused until that is ruled out. */
  #tooEarly(message: SteeringMessage, question: HostedSnapshot['context']['question']): string | null {
    if (message.type !== 'answer' || question?.kind !== 'in-doubt' || question.id !== message.question) return null;
    if (chosen({ ...question, choices: question.choices ?? [] }, message.text) !== 'run it again') return null;
    const leftMs = Date.parse(this.#record.doubtfulUntil ?? '') - this.#now().getTime();
    return leftMs > 0 ? `the lost worker may still be running the call: answer again in ${Math.ceil(leftMs / 1000)} s` : null;
  }

  /** The receipts that a commit owes the operators, from the ledger of the previous commit and the ledger that it writes. */
  takeReceipts(
    before: readonly Steer[],
    after: readonly Steer[],
    crash: string | null,
    plan: () => readonly PlanRow[],
  ): { receipts: Receipt[]; inbox: Inbox; known: string[] } {
    // A failed machine does not return its queued steers by itself.
    const ledger = crash === null ? after : after.map((steer) => givenBack(steer, crash));
    const { receipts, inbox } = receiptsOf(this.#record.id, before, ledger, this.#origins, plan);
    const owed = this.#owed;
    this.#owed = [];
    const known = remembered([...this.#known]);
    this.#known = new Set(known);
    return { receipts: [...owed, ...receipts].sort((a, b) => a.seq - b.seq), inbox, known };
  }
}

const givenBack = (steer: Steer, crash: string): Steer =>
  steer.fate === 'queued' ? { ...steer, fate: 'returned', reason: `the task has ended: ${crash}` } : steer;
