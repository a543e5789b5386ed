/**
 * Hosts one machine actor for one claim of a task, and makes its progress durable. One loop reads the bus, commits changes,
 * publishes them and waits.
 * A. Every state write is a compare-and-set; a host that loses one stops without a trace: no receipt, no result, no ack.
 * B. An effect starts only when a commit covers the state it was started in.
 * D. Only commits decide; `status` and `result` are flushed after them, the ack comes last.
 * F. A task that only waits is parked: it has no actor and no worker until the waker or its deadline wakes it.
 * G. One commit takes a steer, and one commit closes it with its final receipt.
 * Rules `fencing`, `register`, `nudge`, `done` and `release` (docs/task-protocol.md).
 */
import type { InspectionEvent } from 'xstate';
import type { Bus } from '../../bus/bus.ts';
import { flush } from '../../bus/log/projection.ts';
import { readSteering } from '../../bus/log/steering-log.ts';
import type { HeldTask, Live } from '../../bus/messages.ts';
import { afterPark, afterRelease, hasEndedAbove, lookBelow } from '../../bus/queue/claim.ts';
import type { Delivery } from '../../bus/queue/delivery.ts';
import { renewalMs, sureMs } from '../../bus/queue/lease.ts';
import type { StateRecord, StoredRecord } from '../../bus/state/state-record.ts';
import { readState, replaceState } from '../../bus/state/state-store.ts';
import type { Channel } from '../../bus/subjects.ts';
import type { Carryover } from '../../machines/carryover.ts';
import type { Steer } from '../../machines/steering-ledger.ts';
import { fitted } from '../../platform/cut.ts';
import { postOutcomes } from './call-outcomes.ts';
import { nextRecord, type Progress } from './commit.ts';
import { CursorWaiters, covers } from './cursor-waiters.ts';
import { HostedActor } from './hosted-actor.ts';
import { type EndedCall, InFlightCalls } from './in-flight-calls.ts';
import { Intake, type Steerable } from './intake.ts';
import type { NodeObserver, TaskObserver } from './observer.ts';
import type { EffectHost, HostedSnapshot, Role } from './role.ts';
import { VitalSigns } from './vital-signs.ts';

export type HostEnd =
  /** The task has its result, or waits without a worker. Its ticket is acked. */
  | 'done'
  | 'parked'
  /** Another claim has the task: this host lost a compare-and-set. */
  | 'fenced'
  /** The parent of the task has ended; the worker cancels the task. */
  | 'orphaned'
  /** A draining worker has released the task to its queue. */
  | 'released';

export interface HostOptions {
  readonly bus: Bus;
  readonly stored: StoredRecord;
  /** The first commit makes the claim durable; no write has done so yet. */
  readonly tentative: boolean;
  readonly delivery: Delivery;
  readonly leaseMs: number;
  /** For how long a supervisor with nothing to do stays in memory, in ms. */
  readonly quietMs: number;
  readonly now: () => Date;
  readonly role: (host: EffectHost) => Role;
  /** Default: nothing is observed. */
  readonly observer?: NodeObserver | undefined;
}

/**
 * A task that ends within this time (ms), without an effect or a steer, is claimed and done in one commit (rule `first-claim`).
 */
export const tentativeMs = 50;

/** Longest text of a live message, in characters. A watcher reads the whole in the result. */
const maxLiveChars = 100_000;

/** Created once: capturing a stack for each task would cost more than the rest of its end. */
const ended = new DOMException('the task is no longer hosted here', 'AbortError');

/** Returns are read at intervals that grow with the record: 1 ms for this many characters. */
const charsPerMs = 20_000;

type Waiter = { readonly resolve: () => void; readonly reject: (cause: unknown) => void };

export class TaskHost implements EffectHost {
  readonly #options: HostOptions;
  readonly #bus: Bus;
  readonly #role: Role;
  readonly #actor: HostedActor;
  readonly observer: TaskObserver | undefined;
  readonly #signs: VitalSigns;
  readonly #cursorWaiters = new CursorWaiters();
  #stored: StoredRecord;
  #delivery: Delivery;
  #ended = new AbortController();
  #end: HostEnd | null = null;
  #isOver = false;

  /** There is a change that no commit covers yet. */
  #dirty = false;
  /** The bus may have messages for the task that were not read. */
  #unread = true;
  /** Sub-tasks may wait for their operator since the last look. */
  #looksBelow = true;
  #quiet = false;
  #releasing = false;
  #tentative: boolean;
  #mustTell = false;
  #overdue: NodeJS.Timeout | undefined;
  /** The earliest time to read returns of sub-tasks again, by `performance.now()`. */
  #gatherAt = 0;
  #gathering: NodeJS.Timeout | undefined;
  #bell = Promise.withResolvers<void>();
  #waiters: Waiter[] = [];

  readonly #intake: Intake;
  readonly #flights = new InFlightCalls();
  /** The steering ledger of the last commit. */
  #ledger: readonly Steer[];
  #resultCursor: number;
  #lastCommitAt: number;
  readonly #since: string;
  /** `Role.progress` at the time of the claim; null if the task had not begun. */
  readonly #claimedAt: string | null;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#bus = options.bus;
    this.#stored = options.stored;
    this.#delivery = options.delivery;
    this.#tentative = options.tentative;
    const { record } = options.stored;
    this.#resultCursor = record.resultCursor;
    this.#signs = new VitalSigns(record);
    this.#lastCommitAt = options.now().getTime();
    this.#since = options.now().toISOString();
    this.observer = options.observer?.task({
      record,
      sent: options.delivery.sent(),
      redelivered: options.delivery.redelivered,
      step: () => this.#actor.snapshot.context.step,
    });
    this.#role = options.role(this);
    this.#intake = new Intake(record, this.#role, options.now);
    const log = options.bus.log.child({ task: record.id });
    this.#actor = new HostedActor(this.#role, record, { now: options.now, log, onChange: () => this.#changed() });
    const { snapshot } = this.#actor;
    this.#ledger = snapshot.context.steers;
    this.#claimedAt = record.snapshot ? this.#role.progress(snapshot) : null;
  }

  get id(): string {
    return this.#stored.record.id;
  }
  get spec(): StateRecord['spec'] {
    return this.#stored.record.spec;
  }
  get carryover(): Carryover | null {
    // Only actors/host/unrestorable.ts writes `earlier`.
    return (this.#stored.record.earlier ?? null) as Carryover | null;
  }
  readonly epoch = (): number => this.#stored.record.epoch;
  get stored(): StoredRecord {
    return this.#stored;
  }
  /** No write has told the bus yet that the task is hosted here. */
  get isTentative(): boolean {
    return this.#tentative;
  }

  /** The entry of the task in the report of its node. */
  get report(): HeldTask {
    const { snapshot } = this.#actor;
    const { state } = this.#role.view(snapshot);
    return { id: this.id, type: this.spec.type, state, step: snapshot.context.step, since: this.#since };
  }

  // --- called by the worker

  /** The machine as it is now, for somebody who watches. */
  get watched(): { readonly machine: Role['machine']; readonly snapshot: HostedSnapshot } {
    return { machine: this.#role.machine, snapshot: this.#actor.snapshot };
  }
  /** As `HostedActor.inspect`. */
  inspect(observer: (event: InspectionEvent) => void): () => void {
    return this.#actor.inspect(observer);
  }

  /** Runs until the task is done, parked, fenced, orphaned or released. A crash elsewhere never makes it throw. */
  async run(): Promise<HostEnd> {
    const heartbeat = setInterval(() => this.#beat(), renewalMs(this.#options.leaseMs));
    try {
      const preparing = this.#role.prepare?.(this.#actor.snapshot);
      this.#actor.start(preparing ? await preparing : null);
      return await this.#loop();
    } finally {
      clearInterval(heartbeat);
      clearTimeout(this.#overdue);
      clearTimeout(this.#gathering);
      this.#isOver = true;
      this.observer?.left(this.#end === 'done' ? 'done' : this.#end === null || this.#end === 'fenced' ? 'lost' : 'given-back');
      this.#actor.stop();
      // A task that is done has no request under way.
      if (this.#end !== 'done') this.#ended.abort(ended);
      for (const waiter of this.#waiters) waiter.reject(new Error('the task is no longer hosted here'));
      this.#cursorWaiters.end();
      if (this.isLost()) this.#tellOutcomes();
    }
  }

  /** Tells the host that the bus may have new messages for the task. @param isBelow a sub-task of the goal waits. */
  nudge(isBelow = false): void {
    this.#unread = true;
    if (isBelow) this.#looksBelow = true;
    this.#ring();
  }

  /**
   * Goes on with a redelivery of the ticket that is hosted here. @returns false if the delivery belongs to another run, or the
   * host has ended.
   */
  adopt(delivery: Delivery): boolean {
    const { run, ticketSeq } = this.#stored.record;
    if (this.#end || this.#isOver || delivery.ticket.run !== run || delivery.seq !== ticketSeq) return false;
    this.#delivery = delivery;
    delivery.working();
    return true;
  }

  /** Resolves true once a cursor covers this sequence, false if the host ends before that. */
  covered(channel: Channel, seq: number): Promise<boolean> {
    if (covers(this.#stored.record, channel, seq)) return Promise.resolve(true);
    if (this.#end || this.#isOver) return Promise.resolve(false);
    // A task without sub-tasks reads no results: a stranger published this one.
    if (channel === 'result' && this.#stored.record.children === 0) return Promise.resolve(false);
    this.nudge();
    return this.#cursorWaiters.wait(channel, seq);
  }

  /** Releases the task to its queue as soon as no tool call with effects is in flight. */
  release(): void {
    this.#releasing = true;
    this.#ring();
  }

  // --- called by the effects

  committed(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiters.push({ resolve, reject });
    signal.addEventListener('abort', () => reject(signal.reason));
    this.#changed();
    return promise;
  }

  async stillHolds(): Promise<void> {
    if (this.#options.now().getTime() - this.#lastCommitAt < sureMs(this.#options.leaseMs)) return;
    const now = await readState(this.#bus, this.id);
    if (now?.record.epoch === this.epoch() && now.record.node === this.#stored.record.node) return;
    throw new Error('another worker holds the task now');
  }

  callBegins(call: string): void {
    this.#flights.begins(call);
  }
  callEnded(call: string, how: EndedCall): void {
    this.#flights.ended(call, how);
    if (this.isLost()) this.#tellOutcomes();
  }
  callDidNotBegin(call: string, why: string): void {
    if (this.isLost()) void this.#tellNotBegun(call, why);
  }
  isLost(): boolean {
    return this.#isOver && (this.#end === null || this.#end === 'fenced');
  }
  /**
   * The commit that names the call may be stored although its reply was lost. The next worker then takes the call for begun and
   * must be told.
   */
  async #tellNotBegun(call: string, text: string): Promise<void> {
    try {
      const now = await readState(this.#bus, this.id);
      const flight = now?.record.inFlight;
      if (flight && this.#flights.isOurs(call, flight)) this.callEnded(call, { text, failed: true, artifacts: [], changes: [] });
    } catch (err) {
      this.#bus.log.warn({ err, id: this.id, call }, 'could not post that a call did not begin: the task will ask its operator');
    }
  }
  #tellOutcomes(): void {
    const { epoch, node } = this.#stored.record;
    void postOutcomes(this.#bus, this.id, this.#flights.untold(epoch, node));
  }

  live(message: Live): void {
    this.#signs.heard(message.type, this.#options.now().toISOString());
    const { nc, subjects } = this.#bus;
    if (nc.isClosed() || nc.isDraining()) return;
    nc.publish(subjects.live(this.id), JSON.stringify({ ...message, text: fitted(message.text, maxLiveChars) }));
  }

  note(text: string): void {
    this.#signs.note(text);
  }
  onBackend(name: string): void {
    this.#signs.onBackend(name);
  }
  sends(step: number, digest: string): void {
    this.#signs.sends(step, digest);
  }
  backend(): string | null {
    return this.#signs.backend;
  }
  addArtifacts(names: readonly string[]): void {
    this.#signs.addArtifacts(names);
  }

  // --- the loop

  /** Renews the lease, and commits if tokens or tool output came since the last status, so that long work is seen to be alive. */
  #beat(): void {
    this.#delivery.working();
    if (this.#signs.areNewerThan(this.#stored.record.last?.at ?? '')) this.#changed();
  }

  #begin(): void {
    this.#actor.send({ type: 'START' });
    if (!this.#tentative || !this.#actor.isActive) return;
    this.#overdue = setTimeout(() => {
      this.#mustTell = true;
      this.#ring();
    }, tentativeMs);
  }

  #changed(): void {
    this.#dirty = true;
    this.#ring();
  }

  async #loop(): Promise<HostEnd> {
    for (;;) {
      if (this.#unread) {
        this.#unread = false;
        await this.#read();
      }
      // Steers that were sent before the first claim are in the ledger by now, so the first model call sees them.
      if (this.#actor.isActive && this.#actor.snapshot.value === 'idle') this.#begin();
      // All transitions of one tick go into one commit.
      if (this.#dirty && this.#actor.isActive) await this.#bus.tick.ended();
      const isDone = !this.#actor.isActive;
      if (this.#releasing && (this.#actor.crash !== null || !this.#role.mustFinish(this.#actor.snapshot)))
        return await this.#release();
      const parks = this.#parks();
      const isEarly = this.#tentative && !this.#mustTell && this.#waiters.length === 0 && !this.#role.reconcile;
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
    if (this.#actor.crash !== null || this.#unread || this.#gathering || this.#waiters.length > 0) return false;
    const when = this.#role.parks(this.#actor.snapshot);
    return when === 'now' || (when === 'when-quiet' && this.#quiet && !this.#dirty);
  }

  /** Waits for a nudge, a transition or an effect; a supervisor with nothing to do waits at most `quietMs`. */
  async #listen(): Promise<void> {
    const waitsToPark = this.#role.parks(this.#actor.snapshot) === 'when-quiet';
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

  /** A long plan takes its returns in fewer batches, because each batch costs a write of the whole plan. */
  #gathersLater(): boolean {
    const left = this.#gatherAt - performance.now();
    if (!this.#role.news || left < 5) return false;
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined;
      this.nudge();
    }, left);
    return true;
  }

  /** For a goal: whether sub-tasks wait for their operator. */
  async #lookBelow(): Promise<void> {
    if (!this.#looksBelow || !this.#actor.isActive) return;
    this.#looksBelow = false;
    for (const event of (await this.#role.waiting?.(this.#actor.snapshot)) ?? [])
      if (this.#actor.isActive) this.#actor.send(event);
  }

  async #read(): Promise<void> {
    const { isActive, snapshot } = this.#actor;
    const looks = isActive && !this.#gathersLater();
    const [news, { steers, isLast }] = await Promise.all([
      looks ? this.#role.news?.(snapshot, this.#resultCursor) : undefined,
      readSteering(this.#bus, this.id, this.#intake.cursor),
    ]);
    if (news && news.cursor > this.#resultCursor) {
      this.#resultCursor = news.cursor;
      this.#dirty = true;
      for (const event of news.events) if (this.#actor.isActive) this.#actor.send(event);
    }
    const machine: Steerable = {
      snapshot: () => this.#actor.snapshot,
      send: (event) => this.#actor.send(event),
      inFlight: () => this.#stored.record.inFlight ?? null,
      addArtifacts: (names) => this.addArtifacts(names),
      note: (text) => this.note(text),
    };
    // The next page is read after the commit of this one (rule `pages`).
    if (!isLast) this.#unread = true;
    for (const it of steers) {
      this.observer?.took(it);
      this.#intake.take(it, machine);
      this.#dirty = true;
      this.#mustTell = true;
    }
    await this.#lookBelow();
    if (this.#dirty) this.#quiet = false;
  }

  async #commit(phase: Progress['phase']): Promise<'written' | 'fenced' | 'orphaned'> {
    // A task that is released starts no more effects here.
    const waiters = phase === 'ready' ? [] : this.#waiters.splice(0);
    this.#dirty = false;
    const { snapshot, crash } = this.#actor;
    const { record } = this.#stored;
    const at = this.#options.now();
    const heard = this.#flights.heard();
    const call = this.#role.calls?.inFlight(snapshot) ?? null;
    const plan = () => this.#role.view(snapshot).plan;
    const next = await nextRecord(record, {
      phase,
      at,
      actor: this.#actor,
      role: this.#role,
      signs: this.#signs,
      steering: { cursor: this.#intake.cursor, ...this.#intake.takeReceipts(this.#ledger, snapshot.context.steers, crash, plan) },
      resultCursor: this.#resultCursor,
      inFlight: this.#flights.mark(call, record.inFlight, record.epoch, record.node),
      claimedAt: this.#claimedAt,
    });
    const written = await replaceState(this.#bus, this.#stored, next, this.#ended.signal);
    if (!written) return 'fenced';
    this.#stored = written;
    this.observer?.committed(written.record);
    this.#lastCommitAt = at.getTime();
    this.#gatherAt = performance.now() + (written.chars ?? 0) / charsPerMs;
    this.#ledger = snapshot.context.steers;
    this.#flights.covered(heard);
    // The parent may have ended since the tentative claim. Only work without effects has happened so far.
    const wasTentative = this.#tentative;
    this.#tentative = false;
    if (wasTentative && phase !== 'done' && (await hasEndedAbove(this.#bus, this.id))) {
      for (const waiter of waiters) waiter.reject(new Error('its parent has ended'));
      return 'orphaned';
    }
    const telling = flush(this.#bus, written.record, this.#ended.signal);
    // Effects that start now may keep the process busy for a while, so the status is published first.
    this.#bus.tick.atEnd(() => {
      for (const waiter of waiters) waiter.resolve();
    });
    const [statusSeq] = await Promise.all([telling, this.#role.reconcile?.(snapshot)]);
    this.#stored = { ...written, record: { ...written.record, outbox: [], statusSeq } };
    this.#cursorWaiters.covered(this.#stored.record);
    return 'written';
  }

  // --- ways to end

  async #finish(): Promise<HostEnd> {
    this.#delivery.ack();
    return this.#stop('done');
  }

  async #park(): Promise<HostEnd> {
    await afterPark(this.#bus, this.#stored);
    // The nudge came after the last look.
    if (this.#looksBelow) await lookBelow(this.#bus, this.#stored.record);
    this.#delivery.ack();
    return this.#stop('parked');
  }

  /**
   * The next claim takes up calls in flight. The task gets a new ticket, because a ticket survives a restart of the broker and a
   * nak does not.
   */
  async #release(): Promise<HostEnd> {
    const written = await this.#commit('ready');
    if (written !== 'written') return this.#stop(written);
    await afterRelease(this.#bus, this.#stored);
    this.#delivery.ack();
    return this.#stop('released');
  }

  #stop(end: HostEnd): HostEnd {
    this.#end = end;
    return end;
  }
}
