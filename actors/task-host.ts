/**
 * Hosts one machine actor for one claim of a task, and makes its progress durable. One loop: read what is on the bus, commit what changed,
 * make it known, wait for the next thing.
 * A. Every state write is a compare-and-set; a host that loses one stops without a trace: no receipt, no result, no ack.
 * B. An effect starts only when a commit covers the state it was started in.
 * D. Only commits decide; `status` and `result` are flushed after them, the ack comes last.
 * F. A task that only waits is parked: no actor, no worker; the waker or its deadline brings it back.
 * G. A steer is taken in one commit and leaves in one, with its final receipt.
 */
import { createActor } from 'xstate';
import type { Bus } from '../bus/bus.ts';
import { afterPark, afterRelease, hasEndedAbove } from '../bus/claim.ts';
import type { HeldTask, Live, Result } from '../bus/messages.ts';
import { flush } from '../bus/projection.ts';
import { type Held, readState, replaceState, type StateRecord, withStatus } from '../bus/state-record.ts';
import { readSteering } from '../bus/steering-log.ts';
import type { Channel } from '../bus/subjects.ts';
import type { Delivery } from '../bus/task-queue.ts';
import type { Earlier } from '../machines/earlier.ts';
import type { Steer } from '../machines/steering.ts';
import { messageOf } from '../platform/errors.ts';
import { provideEffects } from './effect.ts';
import { type Ended, Flights } from './flights.ts';
import { Intake, type Steerable } from './intake.ts';
import { postOutcomes } from './outcome.ts';
import type { HostedSnapshot, HostPort, Role } from './role.ts';

export type HostEnd =
  /** It has its result, or waits without a worker: acked. */
  | 'done'
  | 'parked'
  /** Another claim's writes count now. */
  | 'fenced'
  /** Its parent has ended: to be cancelled. */
  | 'orphaned'
  /** Given back to the queue by a draining worker. */
  | 'released';

export interface HostOptions {
  readonly bus: Bus;
  readonly held: Held;
  /** The claim counts from the first commit on. */
  readonly tentative: boolean;
  readonly delivery: Delivery;
  readonly ackWaitMs: number;
  /** How long a supervisor stays in memory with nothing to do. */
  readonly quietMs: number;
  readonly now: () => Date;
  readonly role: (port: HostPort) => Role;
}

/** A task that ends within so long, without an effect or a steer, is claimed and done in one commit (line 11). */
export const tentativeMs = 50;

/** Made once: with a stack of its own for each task it would cost more than the rest of an end. */
const ended = new DOMException('the task is no longer hosted here', 'AbortError');

/** Of the record, for each millisecond between two looks for returns. */
const charsPerMs = 20_000;

type Waiter = { readonly resolve: () => void; readonly reject: (cause: unknown) => void };

export class TaskHost implements HostPort {
  readonly #options: HostOptions;
  readonly #bus: Bus;
  readonly #role: Role;
  readonly #actor: ReturnType<typeof createActor>;
  readonly #restored: boolean;
  #held: Held;
  #delivery: Delivery;
  #ended = new AbortController();
  #end: HostEnd | null = null;
  #isOver = false;

  /** Something changed that no commit covers yet. */
  #dirty = false;
  /** There may be something on the bus that was not read. */
  #unread = true;
  #quiet = false;
  #releasing = false;
  #tentative: boolean;
  #mustTell = false;
  #overdue: NodeJS.Timeout | undefined;
  /** Not before then are returns of sub-tasks looked for again. */
  #gatherAt = 0;
  #gathering: NodeJS.Timeout | undefined;
  #bell = Promise.withResolvers<void>();
  #waiters: Waiter[] = [];
  #passing: { channel: Channel; seq: number; resolve: (passed: boolean) => void }[] = [];

  readonly #intake: Intake;
  readonly #flights = new Flights();
  /** The ledger as the last commit has it. */
  #ledger: readonly Steer[];
  #resultCursor: number;
  #notes: string[] = [];
  #backend: string | null;
  #lastTokenAt: string | undefined;
  #lastToolAt: string | undefined;
  #lastTransitionAt: string | undefined;
  #artifacts: string[];
  #crash: string | null = null;
  #lastCommitAt: number;
  readonly #since: string;
  /** As it was when the task was claimed. */
  readonly #progress: string | null;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#bus = options.bus;
    this.#held = options.held;
    this.#delivery = options.delivery;
    this.#tentative = options.tentative;
    const { record } = options.held;
    this.#resultCursor = record.resultCursor;
    this.#artifacts = [...record.artifacts];
    this.#backend = record.last?.backend ?? null;
    this.#lastCommitAt = options.now().getTime();
    this.#since = options.now().toISOString();
    this.#role = options.role(this);
    this.#intake = new Intake(record, this.#role, options.now);
    this.#restored = record.snapshot !== null;
    const from = record.snapshot ? { snapshot: { ...record.snapshot, children: {} } } : { input: this.#role.input };
    this.#actor = createActor(this.#role.logic, from as never);
    provideEffects(this.#actor, this.#role.effects);
    this.#ledger = this.#snapshot().context.steers;
    this.#progress = record.snapshot ? this.#role.progress(this.#snapshot()) : null;
  }

  get id(): string {
    return this.#held.record.id;
  }
  get spec(): StateRecord['spec'] {
    return this.#held.record.spec;
  }
  get earlier(): Earlier | null {
    // Written by actors/stranded.ts alone.
    return (this.#held.record.earlier ?? null) as Earlier | null;
  }
  readonly epoch = (): number => this.#held.record.epoch;
  get held(): Held {
    return this.#held;
  }
  /** Nothing on the bus tells yet that it is hosted here. */
  get isTentative(): boolean {
    return this.#tentative;
  }

  /** For whoever asks what a node is busy with. */
  get report(): HeldTask {
    const snapshot = this.#snapshot();
    const { state } = this.#role.view(snapshot);
    return { id: this.id, type: this.spec.type, state, step: snapshot.context.step, since: this.#since };
  }

  // --- what the worker does with it

  /** Runs until the task is done, parked, fenced or released. Never throws for what a crash elsewhere can cause. */
  async run(): Promise<HostEnd> {
    const heartbeat = setInterval(() => this.#beat(), this.#options.ackWaitMs / 3);
    try {
      this.#startActor();
      return await this.#loop();
    } finally {
      clearInterval(heartbeat);
      clearTimeout(this.#overdue);
      clearTimeout(this.#gathering);
      this.#isOver = true;
      this.#actor.stop();
      this.#ended.abort(ended);
      for (const waiter of this.#waiters) waiter.reject(new Error('the task is no longer hosted here'));
      for (const passing of this.#passing) passing.resolve(false);
      this.#passing = [];
      if (this.isLost()) this.#tellOutcomes();
    }
  }

  /** There is something new on the bus. */
  nudge(): void {
    this.#unread = true;
    this.#ring();
  }

  /** The ticket was delivered again to this process while it works on it: go on with the newer delivery. */
  adopt(delivery: Delivery): boolean {
    const { t, q } = this.#held.record;
    if (this.#end || delivery.ticket.t !== t || delivery.q !== q) return false;
    this.#delivery = delivery;
    delivery.working();
    return true;
  }

  /** Resolves true once the state covers this sequence, false when the task stops being hosted here before. */
  passed(channel: Channel, seq: number): Promise<boolean> {
    if (this.#cursor(channel) >= seq) return Promise.resolve(true);
    if (this.#end) return Promise.resolve(false);
    this.nudge();
    return new Promise((resolve) => this.#passing.push({ channel, seq, resolve }));
  }

  /** Gives the task back to the queue as soon as no writing tool is in flight. */
  release(): void {
    this.#releasing = true;
    this.#ring();
  }

  // --- what its effects ask of it

  settled(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiters.push({ resolve, reject });
    signal.addEventListener('abort', () => reject(signal.reason));
    this.#dirty = true;
    this.#ring();
    return promise;
  }

  async stillHolds(): Promise<void> {
    if (this.#options.now().getTime() - this.#lastCommitAt < this.#options.ackWaitMs / 2) return;
    const now = await readState(this.#bus, this.id);
    if (now?.record.epoch === this.epoch() && now.record.node === this.#held.record.node) return;
    throw new Error('another worker holds the task now');
  }

  callBegins(call: string): void {
    this.#flights.begins(call);
  }
  callEnded(call: string, how: Ended): void {
    this.#flights.ended(call, how);
    if (this.isLost()) this.#tellOutcomes();
  }
  isLost(): boolean {
    return this.#isOver && (this.#end === null || this.#end === 'fenced');
  }
  #tellOutcomes(): void {
    const { epoch, node } = this.#held.record;
    void postOutcomes(this.#bus, this.id, this.#flights.untold(epoch, node));
  }

  live(message: Live): void {
    const at = this.#options.now().toISOString();
    if (message.type === 'token') this.#lastTokenAt = at;
    else this.#lastToolAt = at;
    if (!this.#bus.nc.isClosed()) this.#bus.nc.publish(this.#bus.subjects.live(this.id), JSON.stringify(message));
  }

  note(text: string): void {
    this.#notes.push(text);
  }
  onBackend(name: string): void {
    this.#backend = name;
  }
  addArtifacts(names: readonly string[]): void {
    this.#artifacts = [...new Set([...this.#artifacts, ...names])];
  }

  // --- the loop

  /** Keeps the ticket, and lets `status` tell of tokens and tools that came since the last commit: long work is seen to be alive. */
  #beat(): void {
    this.#delivery.working();
    const told = this.#held.record.last?.at ?? '';
    if ((this.#lastTokenAt ?? '') <= told && (this.#lastToolAt ?? '') <= told) return;
    this.#dirty = true;
    this.#ring();
  }

  #begin(): void {
    this.#actor.send({ type: 'START' });
    if (!this.#tentative || !this.#isActive()) return;
    this.#overdue = setTimeout(() => {
      this.#mustTell = true;
      this.#ring();
    }, tentativeMs);
  }

  #startActor(): void {
    let before: HostedSnapshot | null = null;
    this.#actor.subscribe({
      next: () => {
        const now = this.#snapshot();
        if (!before || hasMoved(before, now)) this.#lastTransitionAt = this.#options.now().toISOString();
        if (!before || isWorthACommit(before, now)) {
          this.#dirty = true;
          this.#ring();
        }
        before = now;
      },
      error: (cause) => {
        this.#crash = messageOf(cause);
        this.#bus.log.error({ err: cause, id: this.id }, 'the machine failed');
        this.#dirty = true;
        this.#ring();
      },
    });
    this.#actor.start();
    if (this.#restored && this.#snapshot().status === 'active') this.#actor.send({ type: 'RESTORED' });
  }

  async #loop(): Promise<HostEnd> {
    for (;;) {
      if (this.#unread) {
        this.#unread = false;
        await this.#read();
      }
      // What was sent before the first claim is in the ledger by now, so the first model call sees it.
      if (!this.#crash && this.#snapshot().value === 'idle') this.#begin();
      if (this.#releasing && (this.#crash || !this.#role.mustFinish(this.#snapshot()))) return await this.#release();
      const isDone = this.#crash !== null || this.#snapshot().status !== 'active';
      const parks = this.#parks();
      const isEarly = this.#tentative && !this.#mustTell && this.#waiters.length === 0;
      if ((this.#dirty && !isEarly) || isDone || parks) {
        const written = await this.#commit(isDone ? 'done' : parks ? 'parked' : 'held');
        if (written !== 'written') return this.#stop(written);
        if (isDone) return this.#finish();
        if (parks) return this.#park();
        continue;
      }
      if (this.#unread) continue;
      await this.#listen();
    }
  }

  #parks(): boolean {
    if (this.#crash || this.#unread || this.#gathering || this.#waiters.length > 0) return false;
    const when = this.#role.parks(this.#snapshot());
    return when === 'now' || (when === 'when-quiet' && this.#quiet && !this.#dirty);
  }

  /** Waits for a nudge, a transition or an effect; for a supervisor with nothing to do, only a moment. */
  async #listen(): Promise<void> {
    const waitsToPark = this.#role.parks(this.#snapshot()) === 'when-quiet';
    const timer = waitsToPark
      ? setTimeout(() => {
          this.#quiet = true;
          this.#ring();
        }, this.#options.quietMs)
      : undefined;
    await this.#bell.promise;
    clearTimeout(timer);
    this.#bell = Promise.withResolvers();
  }

  #ring(): void {
    this.#bell.resolve();
  }

  /** A long plan takes its returns in fewer batches, since each costs a write of all of it. */
  #gathersLater(): boolean {
    const left = this.#gatherAt - performance.now();
    if (!this.#role.news || left < 5) return false;
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.nudge();
    }, left);
    return true;
  }

  async #read(): Promise<void> {
    const news = this.#isActive() && !this.#gathersLater() ? await this.#role.news?.(this.#resultCursor) : undefined;
    if (news && news.cursor > this.#resultCursor) {
      this.#resultCursor = news.cursor;
      this.#dirty = true;
      for (const event of news.events) if (this.#isActive()) this.#actor.send(event as never);
    }
    const machine: Steerable = {
      snapshot: () => this.#snapshot(),
      send: (event) => this.#actor.send(event as never),
      inFlight: () => this.#held.record.inFlight ?? null,
      addArtifacts: (names) => this.addArtifacts(names),
      note: (text) => this.note(text),
    };
    for (const steering of await readSteering(this.#bus, this.id, this.#intake.cursor)) {
      this.#intake.take(steering, machine);
      this.#dirty = true;
      this.#mustTell = true;
    }
    if (this.#dirty) this.#quiet = false;
  }

  async #commit(phase: 'held' | 'ready' | 'parked' | 'done'): Promise<'written' | 'fenced' | 'orphaned'> {
    // A task that is handed back starts nothing more here.
    const waiters = phase === 'ready' ? [] : this.#waiters.splice(0);
    this.#dirty = false;
    const snapshot = this.#snapshot();
    const { record } = this.#held;
    const at = this.#options.now();
    const heard = this.#flights.heard();
    const view = this.#role.view(snapshot);
    const progress = this.#role.progress(snapshot);
    const wakeAt = this.#role.deadlineAt(snapshot);
    const { receipts, inbox, known } = this.#intake.settle(this.#ledger, snapshot.context.steers, this.#crash);
    const notes = this.#notes.splice(0);
    const { children: _, ...persisted } = this.#actor.getPersistedSnapshot() as unknown as Record<string, unknown>;
    const outcome = this.#crash ? 'failed' : view.outcome;
    const next = withStatus(
      {
        ...record,
        phase,
        instruction: snapshot.context.instruction,
        steeringCursor: this.#intake.cursor,
        resultCursor: this.#resultCursor,
        inbox: [...inbox],
        known,
        children: view.children,
        plan: [...view.plan],
        machine: this.#role.machine,
        snapshot: persisted,
        inFlight: this.#flights.mark(this.#role.calls?.inFlight(snapshot) ?? null, record.inFlight, record.epoch, record.node),
        stranded: undefined,
        earlier: undefined,
        artifacts: this.#artifacts,
        wakeAt: phase === 'parked' && wakeAt !== null ? new Date(wakeAt).toISOString() : null,
        // To park or to be handed back is no failure to get on (docs/adr/0011).
        idleClaims: progress === this.#progress ? Math.max(0, record.idleClaims - (phase === 'held' ? 0 : 1)) : 0,
        result: phase === 'done' ? await this.#result(snapshot, at) : null,
      },
      {
        at: at.toISOString(),
        state: phase === 'done' ? 'done' : view.state,
        step: snapshot.context.step,
        backend: this.#backend ?? snapshot.context.backend,
        paused: snapshot.context.paused,
        question: snapshot.context.question ?? null,
        receipts,
        usage: view.usage,
        outcome,
        ...(view.doing && { doing: view.doing }),
        ...(view.subTasks && { subTasks: view.subTasks }),
        ...(this.#lastTokenAt && { lastTokenAt: this.#lastTokenAt }),
        ...(this.#lastToolAt && { lastToolAt: this.#lastToolAt }),
        ...(this.#lastTransitionAt && { lastTransitionAt: this.#lastTransitionAt }),
        ...(notes.length > 0 && { note: notes.join('; ') }),
      },
    );
    const written = await replaceState(this.#bus, this.#held, next, this.#ended.signal);
    if (!written) return 'fenced';
    this.#held = written;
    this.#lastCommitAt = at.getTime();
    this.#gatherAt = performance.now() + (written.chars ?? 0) / charsPerMs;
    this.#ledger = snapshot.context.steers;
    this.#flights.covered(heard);
    // What has happened already without any effect may have happened in vain.
    const wasTentative = this.#tentative;
    this.#tentative = false;
    if (wasTentative && phase !== 'done' && (await hasEndedAbove(this.#bus, this.id))) {
      for (const waiter of waiters) waiter.reject(new Error('its parent has ended'));
      return 'orphaned';
    }
    for (const waiter of waiters) waiter.resolve();
    const statusSeq = await flush(this.#bus, written.record, this.#ended.signal);
    this.#held = { ...written, record: { ...written.record, outbox: [], statusSeq } };
    this.#passing = this.#passing.filter(({ channel, seq, resolve }) => {
      if (this.#cursor(channel) < seq) return true;
      resolve(true);
      return false;
    });
    await this.#role.reconcile?.(snapshot);
    return 'written';
  }

  async #result(snapshot: HostedSnapshot, at: Date): Promise<Result> {
    const common = { id: this.id, type: this.spec.type, at: at.toISOString() };
    const found = await this.#role.result(snapshot);
    const result = {
      ...found,
      salvage: { ...found.salvage, artifacts: [...new Set([...found.salvage.artifacts, ...this.#artifacts])] },
    };
    if (!this.#crash) return { ...common, ...result };
    return {
      ...common,
      ...result,
      outcome: 'failed',
      output: null,
      failure: { code: 'machine-failed', message: this.#crash, retryable: false },
    };
  }

  // --- ways to end

  async #finish(): Promise<HostEnd> {
    this.#delivery.ack();
    return this.#stop('done');
  }

  async #park(): Promise<HostEnd> {
    await afterPark(this.#bus, this.#held);
    this.#delivery.ack();
    return this.#stop('parked');
  }

  /** Whatever is in flight is taken up by the next claim. A ticket of its own survives a broker that restarts, which a nak does not. */
  async #release(): Promise<HostEnd> {
    const written = await this.#commit('ready');
    if (written !== 'written') return this.#stop(written);
    await afterRelease(this.#bus, this.#held);
    this.#delivery.ack();
    return this.#stop('released');
  }

  #stop(end: HostEnd): HostEnd {
    this.#end = end;
    return end;
  }

  #cursor(channel: Channel): number {
    return channel === 'result' ? this.#held.record.resultCursor : this.#held.record.steeringCursor;
  }

  /** An event for a machine that has ended would only be complained of on the terminal. */
  #isActive(): boolean {
    return this.#crash === null && this.#snapshot().status === 'active';
  }

  #snapshot(): HostedSnapshot {
    return this.#actor.getSnapshot() as unknown as HostedSnapshot;
  }
}

/** It is in another state. */
const hasMoved = (before: HostedSnapshot, now: HostedSnapshot): boolean =>
  before.value !== now.value && JSON.stringify(before.value) !== JSON.stringify(now.value);

/** Tokens come many times a second and are not worth a write each: the text heard so far is kept with the next commit. */
function isWorthACommit(before: HostedSnapshot, now: HostedSnapshot): boolean {
  if (hasMoved(before, now)) return true;
  const a: object = before.context;
  const b: object = now.context;
  return Object.keys(b).some((key) => key !== 'partial' && a[key as never] !== b[key as never]);
}
