/**
 * A worker: claims tickets of the types it knows and hosts one machine actor for each task it holds. One subscription per kind of
 * subject serves all of them.
 * Rules `fencing`, `slots` and `first-claim` (docs/task-protocol.md).
 */
import type { Bus } from '../../bus/bus.ts';
import { type Backpressure, isFull } from '../../bus/capacity/backpressure.ts';
import type { Failure, HeldTask } from '../../bus/messages.ts';
import { claim } from '../../bus/queue/claim.ts';
import type { Delivery } from '../../bus/queue/delivery.ts';
import { endTask } from '../../bus/queue/end-task.ts';
import { defaultLeaseMs } from '../../bus/queue/lease.ts';
import { restoreConsumers } from '../../bus/queue/lost-consumers.ts';
import { onNudge } from '../../bus/queue/nudges.ts';
import { sweep } from '../../bus/queue/sweeper.ts';
import { type Claimer, claimTickets } from '../../bus/queue/task-queue.ts';
import { startTimers } from '../../bus/queue/timers.ts';
import { startWaker } from '../../bus/queue/waker.ts';
import { wasJustPlanned } from '../../bus/state/parents.ts';
import type { StateRecord, StoredRecord } from '../../bus/state/state-record.ts';
import { readState } from '../../bus/state/state-store.ts';
import type { Queue } from '../../bus/subjects.ts';
import type { TaskId } from '../../bus/task-id.ts';
import { doesChores } from '../../bus/team/chores.ts';
import type { Chart } from '../../machines/charts.ts';
import { CoxError, messageOf } from '../../platform/errors.ts';
import { isLeftToOthers, openCheckpoint } from '../host/checkpoint.ts';
import type { NodeObserver } from '../host/observer.ts';
import { requeue } from '../host/requeue.ts';
import type { EffectHost, Role } from '../host/role.ts';
import { type HostEnd, TaskHost, tentativeMs } from '../host/task-host.ts';
import { hostUnrestorable } from '../host/unrestorable.ts';

export interface WorkerOptions {
  readonly bus: Bus;
  /** Makes the writes of tasks wait while the bus is full. Default: none, so that such a write fails. */
  readonly backpressure?: Backpressure;
  /** Unique among the nodes of the crew. */
  readonly name: string;
  readonly types: readonly string[];
  /** The most tasks of one type that run at once. Woken tasks have the same number of slots in addition. */
  readonly slots: number;
  readonly roleOf: (spec: StateRecord['spec'], host: EffectHost) => Role;
  /** The chart of such a task. Checkpoints are compared with it. */
  readonly chartOf: (spec: StateRecord['spec']) => Chart;
  readonly now: () => Date;
  /** Length of a lease in milliseconds. Default: 10 s. */
  readonly leaseMs?: number;
  /** Milliseconds between two sweeps for tasks that no ticket will reach. Default: a minute. */
  readonly sweepMs?: number;
  /** Milliseconds for which a supervisor that only waits stays in memory. Default: 1 s. */
  readonly quietMs?: number;
  /** Milliseconds until the redelivery of a ticket that is left to another node. Default: 5 s. */
  readonly leaveMs?: number;
  /** Is told which tasks are hosted here. Default: nobody can watch them. */
  readonly inspection?: { hosted(host: TaskHost): void; left(host: TaskHost): void };
  /** Called when a run of a task has ended on this node; null if it ended by an error. */
  readonly onRunEnd?: (id: TaskId, end: HostEnd | null) => void;
  /** Milliseconds until a task whose checkpoint this node cannot restore is tried again. Default: 5 minutes. */
  readonly retryMs?: number;
  /** Is told what the tasks do. Default: nothing is observed. */
  readonly observer?: NodeObserver | undefined;
}

/** An error of code that computes, which would come again at every try and on every worker. Errors of the bus are others. */
const isDefect = (cause: unknown): boolean =>
  cause instanceof TypeError || cause instanceof RangeError || cause instanceof ReferenceError;

export class Worker {
  readonly #options: WorkerOptions;
  readonly #hosts = new Map<TaskId, TaskHost>();
  /** Runs (task and ticket) that are being claimed or hosted. A second delivery of a run does not start it again. */
  readonly #claiming = new Set<string>();
  readonly #claimers = new Map<string, readonly Claimer[]>();
  #types: readonly string[] = [];
  /** Changes of types are made one after another. */
  #changing: Promise<void> = Promise.resolve();
  #stops: (() => Promise<void> | void)[] = [];
  #isDraining = false;
  #idle = Promise.withResolvers<void>();

  private constructor(options: WorkerOptions) {
    this.#options = options;
  }

  static async start(options: WorkerOptions): Promise<Worker> {
    const worker = new Worker(options);
    await worker.#start();
    return worker;
  }

  async #start(): Promise<void> {
    const { bus, name, types, now } = this.#options;
    const nudges = onNudge(bus, (id, isBelow) => this.#hosts.get(id)?.nudge(isBelow));
    this.#stops.push(() => nudges.stop());
    const waker = await startWaker(bus, {
      node: name,
      now: () => now().toISOString(),
      local: (id, channel, seq) => this.#hosts.get(id)?.covered(channel, seq) ?? null,
    });
    const timers = await startTimers(bus);
    const sweeping = this.#sweepNowAndThen();
    this.#stops.push(
      () => waker.stop(),
      () => timers.stop(),
      () => sweeping.stop(),
    );
    this.#stops.push(async () => {
      await this.#changing.catch(() => {});
      await Promise.all([...this.#claimers.values()].flat().map((claimer) => claimer.stop()));
    });
    await this.workOn(types);
  }

  /** The types whose tickets the worker claims now. */
  get types(): string[] {
    return this.#types.filter((type) => this.#claimers.has(type));
  }

  /** Claims tickets of these types from now on. Tasks of other types that the worker holds go on. */
  workOn(types: readonly string[]): Promise<void> {
    this.#changing = this.#changing.catch(() => {}).then(() => this.#claimFor(types));
    return this.#changing;
  }

  async #claimFor(types: readonly string[]): Promise<void> {
    if (this.#isDraining) return;
    const { bus, slots, leaseMs = defaultLeaseMs } = this.#options;
    const handle = (delivery: Delivery) => this.#handle(delivery);
    this.#types = types;
    const gone = [...this.#claimers].filter(([type]) => !types.includes(type));
    const added = types.filter((type) => !this.#claimers.has(type));
    for (const [type] of gone) this.#claimers.delete(type);
    await Promise.all([
      ...gone.flatMap(([, claimers]) => claimers.map((claimer) => claimer.stop())),
      ...added.map(async (type) => {
        const claim = (queue: Queue) => claimTickets(bus, { type, queue, slots, leaseMs }, handle);
        this.#claimers.set(type, await Promise.all([claim('wake'), claim('pending')]));
      }),
    ]);
  }

  #sweepNowAndThen(): { stop(): void } {
    const { bus, now, sweepMs = 60_000, leaseMs = defaultLeaseMs } = this.#options;
    const published = new Set<string>();
    const swept = () => (doesChores(bus) ? sweep(bus, { now, leaseMs, published }) : []);
    // Both start at once, so that a failure of one does not prevent the other.
    const look = () => Promise.all([restoreConsumers(bus, this.types, leaseMs), swept()]);
    const timer = setInterval(() => {
      look().catch((err) => bus.log.warn({ err }, 'the sweep failed; the next one tries again'));
    }, sweepMs);
    timer.unref();
    return { stop: () => clearInterval(timer) };
  }

  /** Tasks held now, longest held first. */
  get holding(): HeldTask[] {
    return [...this.#hosts.values()].map((host) => host.report);
  }

  async #handle(delivery: Delivery): Promise<void> {
    const { id } = delivery.ticket;
    // A redelivery of a run that is claimed or hosted here. The handler of the first delivery still occupies a slot for it.
    const hosted = this.#hosts.get(id);
    if (hosted?.adopt(delivery)) return;
    // Another ticket for a run without a commit. Whether this ticket is stale is known only after the first commit.
    if (hosted?.isTentative) return delivery.nak(tentativeMs);
    const run = `${id} ${delivery.seq}`;
    // No nak: another worker would get the ticket, and the handler that has just begun here would lose the task.
    if (this.#claiming.has(run)) return delivery.working();
    this.#claiming.add(run);
    try {
      await this.#run(delivery);
    } catch (cause) {
      if (!isFull(cause)) throw cause;
      await this.#putOff(delivery, cause, null);
    } finally {
      this.#claiming.delete(run);
      if (this.#claiming.size === 0) this.#idle.resolve();
    }
  }

  /**
   * @param tentatively leaves the claim to the first commit. Not for a redelivery: a lost worker is counted before the next try
   * (rule `poison`).
   */
  async #run(delivery: Delivery, tentatively = !delivery.redelivered): Promise<void> {
    const { bus, name, now, leaseMs = defaultLeaseMs } = this.#options;
    const { id } = delivery.ticket;
    const { chartOf, leaveMs = 5_000 } = this.#options;
    const claimed = await claim(bus, delivery, {
      node: name,
      now,
      leaseMs,
      tentatively,
      isPlanned: (child) => wasJustPlanned(bus, child),
      leaves: (record) => isLeftToOthers(bus, record, chartOf(record.spec), delivery.deliveries),
    });
    if (claimed.kind === 'later') {
      bus.log.info({ id, why: claimed.why }, 'left to another node');
      return delivery.nak(leaveMs);
    }
    if (claimed.kind === 'stale') {
      bus.log.debug({ id, run: delivery.ticket.run, why: claimed.why }, 'stale ticket');
      delivery.ack();
      return;
    }
    const opened = claimed.kind === 'end' ? claimed : await this.#open(claimed.stored);
    if (opened.kind === 'fenced') return;
    if (opened.kind === 'left') return delivery.ack();
    const { stored } = opened;
    const host = claimed.kind === 'end' ? claimed.failure : this.#host(stored, delivery, claimed.tentative);
    const end = async (it: StoredRecord, why: Failure | null) => {
      if (!(await endTask(bus, it, why, now().toISOString()))) return;
      this.#options.observer?.endedWithout(it.record, why);
      delivery.ack();
    };
    if (!(host instanceof TaskHost)) return end(stored, host);
    // Two tickets of one run were claimed at the same time.
    if (claimed.kind === 'run' && claimed.tentative && this.#hosts.has(id)) return delivery.nak(tentativeMs);
    if ('note' in opened && opened.note) host.note(opened.note);
    this.#hosts.set(id, host);
    this.#options.inspection?.hosted(host);
    if (this.#isDraining) host.release();
    let isTaken = false;
    let how: HostEnd | null = null;
    try {
      how = await host.run();
      bus.log.info({ id, epoch: stored.record.epoch, end: how }, 'a run of the task has ended');
      if (how === 'orphaned') await end(host.stored, null);
      isTaken = how === 'fenced' && host.isTentative;
    } catch (cause) {
      if (isFull(cause)) await this.#putOff(delivery, cause, stored);
      // No worker could store this record, so the task ends with the record of its last commit.
      else if (cause instanceof CoxError && cause.code === 'message-too-big')
        await end(host.stored, {
          code: 'too-big',
          message: `it has become too long to be stored: ${cause.message}`,
          retryable: false,
        });
      else if (isDefect(cause)) {
        bus.log.error({ err: cause, id }, 'the task cannot go on');
        await end(host.stored, { code: 'machine-failed', message: messageOf(cause), retryable: false });
      } else throw cause;
    } finally {
      if (this.#hosts.get(id) === host) this.#hosts.delete(id);
      this.#options.inspection?.left(host);
      this.#options.onRunEnd?.(id, how);
    }
    // The first commit has conflicted, so the task is not new. Its record decides whether the ticket is stale.
    if (isTaken && !(await this.#isHeldByIt(delivery))) await this.#run(delivery, false);
  }

  /**
   * Whether another delivery of the ticket holds the task. That worker took this one for lost, and must not lose the task again.
   */
  async #isHeldByIt({ ticket: { id, run }, seq }: Delivery): Promise<boolean> {
    const now = await readState(this.#options.bus, id);
    return now?.record.phase === 'held' && now.record.run === run && now.record.ticketSeq === seq;
  }

  #putOff(delivery: Delivery, cause: CoxError, stored: StoredRecord | null): Promise<void> {
    const { bus, backpressure, leaseMs = defaultLeaseMs } = this.#options;
    return requeue(delivery, cause, { bus, backpressure, leaseMs, stored });
  }

  /** Compares the checkpoint of a task with the chart. A task whose checkpoint cannot be restored asks its operator instead. */
  async #open(
    stored: StoredRecord,
  ): Promise<{ kind: 'opened'; stored: StoredRecord; note?: string | undefined } | { kind: 'left' } | { kind: 'fenced' }> {
    const { bus, now, chartOf, retryMs = 300_000 } = this.#options;
    const opened = openCheckpoint(stored.record, chartOf(stored.record.spec));
    if (opened.kind === 'fits') return { kind: 'opened', stored: { ...stored, record: opened.record }, note: opened.note };
    const end = await hostUnrestorable(bus, stored, { why: opened.why, now, retryMs });
    if (end.kind === 'begins-again') return { kind: 'opened', stored: end.stored };
    return { kind: end.kind === 'fenced' ? 'fenced' : 'left' };
  }

  /** @returns the host; or why the task cannot run: its kind is unknown, or its workspace is refused. */
  #host(stored: StoredRecord, delivery: Delivery, tentative: boolean): TaskHost | Failure {
    const { bus, backpressure, now, roleOf, leaseMs = defaultLeaseMs, quietMs = 1_000 } = this.#options;
    try {
      const role = (host: EffectHost) => roleOf(stored.record.spec, host);
      return new TaskHost({
        bus: backpressure ? { ...bus, backpressure } : bus,
        stored,
        tentative,
        delivery,
        leaseMs,
        quietMs,
        now,
        role,
        observer: this.#options.observer,
      });
    } catch (cause) {
      bus.log.error({ err: cause, id: stored.record.id }, 'the task cannot be hosted');
      const code = cause instanceof CoxError ? cause.code : 'machine-failed';
      return { code, message: messageOf(cause), retryable: false };
    }
  }

  /** Takes no new tickets, and releases each task at the next step at which no work is lost. Idempotent. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    const stops = this.#stops;
    this.#stops = [];
    const stopped = Promise.all(stops.map((stop) => stop()));
    for (const host of this.#hosts.values()) host.release();
    await stopped;
    // Tasks that are being claimed now are hosted first, and released at once.
    while (this.#claiming.size > 0) {
      this.#idle = Promise.withResolvers();
      await this.#idle.promise;
    }
  }
}
