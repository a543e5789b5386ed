/**
 * Hosts one machine actor for one claim of a task, and makes its progress durable. One loop: read what is on the bus, commit what changed,
 * make it known, wait for the next thing.
 * A. Every state write is a compare-and-set; a host that loses one stops without a trace: no receipt, no result, no ack.
 * B. An effect starts only when a commit covers the state it was started in.
 * D. Only commits decide; `status` and `result` are flushed after them, the ack comes last.
 * F. A task that only waits is parked: no actor, no worker; the waker or its deadline brings it back.
 * G. A steer is taken in one commit and leaves in one, with its final receipt.
 */
import type { Bus } from '../../bus/bus.ts';
import { flush } from '../../bus/log/projection.ts';
import { readSteering } from '../../bus/log/steering-log.ts';
import type { HeldTask, Live } from '../../bus/messages.ts';
import { afterPark, afterRelease, hasEndedAbove } from '../../bus/queue/claim.ts';
import type { Delivery } from '../../bus/queue/delivery.ts';
import { renewalMs, sureMs } from '../../bus/queue/lease.ts';
import type { StateRecord, StoredRecord } from '../../bus/state/state-record.ts';
import { readState, replaceState } from '../../bus/state/state-store.ts';
import type { Channel } from '../../bus/subjects.ts';
import type { Carryover } from '../../machines/carryover.ts';
import type { Steer } from '../../machines/steering.ts';
import { postOutcomes } from './call-outcomes.ts';
import { nextRecord, type Progress } from './commit.ts';
import { CursorWaiters, covers } from './cursor-waiters.ts';
import { HostedActor } from './hosted-actor.ts';
import { type EndedCall, InFlightCalls } from './in-flight-calls.ts';
import { Intake, type Steerable } from './intake.ts';
import type { EffectHost, Role } from './role.ts';
import { VitalSigns } from './vital-signs.ts';

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
  readonly stored: StoredRecord;
  /** The claim counts from the first commit on. */
  readonly tentative: boolean;
  readonly delivery: Delivery;
  readonly leaseMs: number;
  /** How long a supervisor stays in memory with nothing to do. */
  readonly quietMs: number;
  readonly now: () => Date;
  readonly role: (host: EffectHost) => Role;
}

/** A task that ends within so long, without an effect or a steer, is claimed and done in one commit (line 11). */
export const tentativeMs = 50;

/** Made once: with a stack of its own for each task it would cost more than the rest of an end. */
const ended = new DOMException('the task is no longer hosted here', 'AbortError');

/** Of the record, for each millisecond between two looks for returns. */
const charsPerMs = 20_000;

type Waiter = { readonly resolve: () => void; readonly reject: (cause: unknown) => void };

export class TaskHost implements EffectHost {
  readonly #options: HostOptions;
  readonly #bus: Bus;
  readonly #role: Role;
  readonly #actor: HostedActor;
  readonly #signs: VitalSigns;
  readonly #passing = new CursorWaiters();
  #stored: StoredRecord;
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

  readonly #intake: Intake;
  readonly #flights = new InFlightCalls();
  /** The ledger as the last commit has it. */
  #ledger: readonly Steer[];
  #resultCursor: number;
  #lastCommitAt: number;
  readonly #since: string;
  /** How far it had come when the task was claimed. */
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
    // Written by actors/host/unrestorable.ts alone.
    return (this.#stored.record.earlier ?? null) as Carryover | null;
  }
  readonly epoch = (): number => this.#stored.record.epoch;
  get stored(): StoredRecord {
    return this.#stored;
  }
  /** Nothing on the bus tells yet that it is hosted here. */
  get isTentative(): boolean {
    return this.#tentative;
  }

  /** For whoever asks what a node is busy with. */
  get report(): HeldTask {
    const { snapshot } = this.#actor;
    const { state } = this.#role.view(snapshot);
    return { id: this.id, type: this.spec.type, state, step: snapshot.context.step, since: this.#since };
  }

  // --- what the worker does with it

  /** Runs until the task is done, parked, fenced or released. Never throws for what a crash elsewhere can cause. */
  async run(): Promise<HostEnd> {
    const heartbeat = setInterval(() => this.#beat(), renewalMs(this.#options.leaseMs));
    try {
      this.#actor.start();
      return await this.#loop();
    } finally {
      clearInterval(heartbeat);
      clearTimeout(this.#overdue);
      clearTimeout(this.#gathering);
      this.#isOver = true;
      this.#actor.stop();
      // Where it is done, nothing of it is under way any more.
      if (this.#end !== 'done') this.#ended.abort(ended);
      for (const waiter of this.#waiters) waiter.reject(new Error('the task is no longer hosted here'));
      this.#passing.end();
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
    const { run, ticketSeq } = this.#stored.record;
    if (this.#end || this.#isOver || delivery.ticket.run !== run || delivery.seq !== ticketSeq) return false;
    this.#delivery = delivery;
    delivery.working();
    return true;
  }

  /** Resolves true once the state covers this sequence, false when the task stops being hosted here before. */
  covered(channel: Channel, seq: number): Promise<boolean> {
    if (covers(this.#stored.record, channel, seq)) return Promise.resolve(true);
    if (this.#end || this.#isOver) return Promise.resolve(false);
    // A stranger's: it has no sub-tasks, and would never look at it.
    if (channel === 'result' && this.#stored.record.children === 0) return Promise.resolve(false);
    this.nudge();
    return this.#passing.wait(channel, seq);
  }

  /** Gives the task back to the queue as soon as no writing tool is in flight. */
  release(): void {
    this.#releasing = true;
    this.#ring();
  }

  // --- what its effects ask of it

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
  /** The commit that was to let it start may have been stored, with its reply lost: then whoever has the task now takes it for begun. */
  async #tellNotBegun(call: string, text: string): Promise<void> {
    try {
      const now = await readState(this.#bus, this.id);
      const flight = now?.record.inFlight;
      if (flight && this.#flights.isOurs(call, flight)) this.callEnded(call, { text, failed: true, artifacts: [] });
    } catch (err) {
      this.#bus.log.warn(
        { err, id: this.id, call },
        'that a call did not begin could not be told: the task will ask its operator',
      );
    }
  }
  #tellOutcomes(): void {
    const { epoch, node } = this.#stored.record;
    void postOutcomes(this.#bus, this.id, this.#flights.untold(epoch, node));
  }

  live(message: Live): void {
    this.#signs.heard(message.type, this.#options.now().toISOString());
    if (!this.#bus.nc.isClosed()) this.#bus.nc.publish(this.#bus.subjects.live(this.id), JSON.stringify(message));
  }

  note(text: string): void {
    this.#signs.note(text);
  }
  onBackend(name: string): void {
    this.#signs.onBackend(name);
  }
  addArtifacts(names: readonly string[]): void {
    this.#signs.addArtifacts(names);
  }

  // --- the loop

  /** Keeps the ticket, and lets `status` tell of tokens and tools that came since the last commit: long work is seen to be alive. */
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
      // What was sent before the first claim is in the ledger by now, so the first model call sees it.
      if (this.#actor.isActive && this.#actor.snapshot.value === 'idle') this.#begin();
      // What the machine and code of ours do without waiting for anything is one commit.
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

  /** Waits for a nudge, a transition or an effect; for a supervisor with nothing to do, only a moment. */
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
    const { isActive, snapshot } = this.#actor;
    const looks = isActive && !this.#gathersLater();
    const [news, steering] = await Promise.all([
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
    for (const it of steering) {
      this.#intake.take(it, machine);
      this.#dirty = true;
      this.#mustTell = true;
    }
    if (this.#dirty) this.#quiet = false;
  }

  async #commit(phase: Progress['phase']): Promise<'written' | 'fenced' | 'orphaned'> {
    // A task that is handed back starts nothing more here.
    const waiters = phase === 'ready' ? [] : this.#waiters.splice(0);
    this.#dirty = false;
    const { snapshot, crash } = this.#actor;
    const { record } = this.#stored;
    const at = this.#options.now();
    const heard = this.#flights.heard();
    const call = this.#role.calls?.inFlight(snapshot) ?? null;
    const next = await nextRecord(record, {
      phase,
      at,
      actor: this.#actor,
      role: this.#role,
      signs: this.#signs,
      steering: { cursor: this.#intake.cursor, ...this.#intake.takeReceipts(this.#ledger, snapshot.context.steers, crash) },
      resultCursor: this.#resultCursor,
      inFlight: this.#flights.mark(call, record.inFlight, record.epoch, record.node),
      claimedAt: this.#claimedAt,
    });
    const written = await replaceState(this.#bus, this.#stored, next, this.#ended.signal);
    if (!written) return 'fenced';
    this.#stored = written;
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
    const telling = flush(this.#bus, written.record, this.#ended.signal);
    // What starts now may keep the process busy for a while: operators are told first.
    this.#bus.tick.atEnd(() => {
      for (const waiter of waiters) waiter.resolve();
    });
    const [statusSeq] = await Promise.all([telling, this.#role.reconcile?.(snapshot)]);
    this.#stored = { ...written, record: { ...written.record, outbox: [], statusSeq } };
    this.#passing.covered(this.#stored.record);
    return 'written';
  }

  // --- ways to end

  async #finish(): Promise<HostEnd> {
    this.#delivery.ack();
    return this.#stop('done');
  }

  async #park(): Promise<HostEnd> {
    await afterPark(this.#bus, this.#stored);
    this.#delivery.ack();
    return this.#stop('parked');
  }

  /** Whatever is in flight is taken up by the next claim. A ticket of its own survives a broker that restarts, which a nak does not. */
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
