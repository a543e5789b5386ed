/**
 * Sub-tasks as desired state: the decisions of a supervisor's commit are carried out on the bus, and may be carried out again
 * after a crash without doing anything twice (rules `planned-child`, `cancel-tree`). A return counts by the child's state record,
 * never by a message on `result`. Rules `child-result` and `take-back` (docs/task-protocol.md).
 */
import type { Bus } from '../../bus/bus.ts';
import { flush } from '../../bus/log/projection.ts';
import type { Result } from '../../bus/messages.ts';
import { publish } from '../../bus/publish.ts';
import { endTask } from '../../bus/queue/end-task.ts';
import { enqueue } from '../../bus/queue/task-queue.ts';
import { messagesAfter, recordsOf } from '../../bus/state/batch-get.ts';
import { newRecord, type StateRecord } from '../../bus/state/state-record.ts';
import { readState } from '../../bus/state/state-store.ts';
import { childOf, ordinalOf, parentOf, rootOf, type TaskId } from '../../bus/task-id.ts';
import type { Failure } from '../../machines/conversation.ts';
import { nodeOf, type PlanNode, running } from '../../machines/plan.ts';
import type { Return, SupervisorContext } from '../../machines/supervisor-context.ts';
import { CoxError } from '../../platform/errors.ts';
import { failureOf } from '../host/failure-of.ts';
import type { EffectHost } from '../host/role.ts';
import { childSpec, type Given } from './child-spec.ts';
import type { NodeResult } from './reduce.ts';

/** The order for a child can never be stored or read; every other error of the bus passes. */
const isRefusal = (cause: unknown): cause is CoxError =>
  cause instanceof CoxError && ['too-big', 'message-too-big', 'bad-task'].includes(cause.code);

export class Children {
  readonly #bus: Bus;
  readonly #host: EffectHost;
  readonly #now: () => Date;
  /** Children that this process has dispatched or taken back. After a crash that is done again. */
  readonly #dispatched = new Set<number>();
  readonly #relayed = new Set<string>();
  readonly #ends = new Map<number, { readonly result: Result; readonly back: Return }>();

  constructor(bus: Bus, host: EffectHost, now: () => Date) {
    this.#bus = bus;
    this.#host = host;
    this.#now = now;
  }

  async reconcile(context: SupervisorContext): Promise<void> {
    const starting = running(context.nodes).filter(({ child }) => child !== null && !this.#dispatched.has(child));
    await Promise.all(starting.map((node) => this.#dispatch(node, context)));
    await Promise.all(context.stopping.filter((child) => !this.#dispatched.has(child)).map((child) => this.#takeBack(child)));
    const alive = new Set([...running(context.nodes).map(({ child }) => child), ...context.stopping]);
    for (const relay of context.relays)
      await Promise.all(relay.children.map((child) => alive.has(child) && this.#relay(relay, child)));
  }

  async #relay({ id, kind, text, urgency }: SupervisorContext['relays'][number], child: number): Promise<void> {
    const name = `${id}@${child}`;
    if (this.#relayed.has(name)) return;
    this.#relayed.add(name);
    // A child that waits in the queue, perhaps for a worker that never comes, must not keep the goal from ending.
    if (kind === 'cancel' && (await this.#endUnclaimed(child, null, 'Cancelled before it was started.'))) return;
    const words = kind === 'steer' ? { text, urgency } : kind === 'allow' ? { tool: text } : {};
    await this.#tell(childOf(this.#host.id, child), { type: kind, id: name, ...words });
  }

  /** A child whose ticket no queue would take ends at once with the reason, so that its goal never waits for it (rule `fits`). */
  async #dispatch(node: PlanNode, context: SupervisorContext): Promise<void> {
    const child = node.child!;
    this.#dispatched.add(child);
    const id = childOf(this.#host.id, child);
    try {
      const { spec, cut } = childSpec(this.#bus, this.#host.spec, node, context, await this.#given(node, context));
      if (cut.length > 0) this.#host.note(`${node.key} gets ${cut.join(', ')} clipped: they are too long for one message`);
      const seal = this.#bus.team?.seal(id, spec, this.#now());
      await enqueue(this.#bus, node.type, 'pending', { id, run: 1, spec, seal });
    } catch (cause) {
      if (!isRefusal(cause)) throw cause;
      await this.#endUnclaimed(child, failureOf(cause), `Was not started: ${node.key}`);
    }
  }

  /**
   * Ends a child that was stopped before this process dispatched it: in the commit that planned it, or after a crash. The
   * supervisor still waits for its return. A child that a worker has claimed is told to stop like the others.
   */
  async #takeBack(child: number): Promise<void> {
    this.#dispatched.add(child);
    await this.#endUnclaimed(child, null, 'Taken back before it was started.');
  }

  /**
   * The end is one commit, because the ticket may be in the queue, and a worker that takes it must not find a task to begin.
   * After a crash the end may not have been told yet.
   * @returns false if a worker has claimed the child.
   */
  async #endUnclaimed(child: number, failure: Failure | null, instruction: string): Promise<boolean> {
    const { id: parent, spec } = this.#host;
    const id = childOf(parent, child);
    const at = this.#now().toISOString();
    const unstarted = { ...spec, plan: null, context: [], instruction };
    for (;;) {
      const stored = (await readState(this.#bus, id)) ?? { record: newRecord(id, unstarted, parent, at), revision: 0 };
      const { epoch, phase } = stored.record;
      if (epoch > 0) return false;
      if (phase === 'done') await flush(this.#bus, stored.record, undefined, true);
      if (phase === 'done' || (await endTask(this.#bus, stored, failure, at))) return true;
    }
  }

  /** The results of the sub-tasks that a node comes after. */
  async #given({ after }: PlanNode, { nodes }: SupervisorContext): Promise<Given[]> {
    const needed = await this.outcomes(after.flatMap((key) => nodeOf(nodes, key) ?? []));
    return needed.map(({ node: { key }, result }) => ({
      title: key,
      ...(result?.whole && { whole: result.whole }),
      text: result?.output ?? `(no result: ${result?.failure?.message ?? result?.outcome ?? 'none'})`,
    }));
  }

  async #tell(id: TaskId, message: { id: string; type: string; text?: string; urgency?: string; tool?: string }): Promise<void> {
    await publish(this.#bus, this.#bus.subjects.of(id, 'steering'), JSON.stringify({ ...message, from: this.#host.id }), {
      msgID: `${id}:${message.id}`,
    });
  }

  /** The children whose results are on the log after `cursor`, in one batch. */
  async returns(cursor: number, children: number): Promise<{ returns: Return[]; cursor: number }> {
    const { subjects } = this.#bus;
    const filter = subjects.every('result', rootOf(this.#host.id));
    const mine = new Set<TaskId>();
    let read = cursor;
    for await (const { subject, seq } of messagesAfter(this.#bus, subjects.logStream, filter, cursor)) {
      read = seq;
      const id = subjects.parse(subject)?.id;
      // Anybody may publish on a `result` subject. A message of a child that was never dispatched is ignored.
      if (id && this.#isMine(id, children)) mine.add(id);
    }
    await this.#learn([...mine]);
    return { returns: [...mine].flatMap((id) => this.#ends.get(ordinalOf(id))?.back ?? []), cursor: read };
  }

  #isMine(id: TaskId, children: number): boolean {
    return parentOf(id) === this.#host.id && ordinalOf(id) <= children;
  }

  /** Those of the children that wait for their operator, by their records. */
  async waiting(children: readonly number[]): Promise<number[]> {
    const ids = children.map((child) => childOf(this.#host.id, child));
    const records = await recordsOf(this.#bus, ids, () => false);
    return [...records.values()].filter(({ phase, last }) => phase === 'parked' && last?.question).map(({ id }) => ordinalOf(id));
  }

  async outcomes(nodes: readonly PlanNode[]): Promise<NodeResult[]> {
    await this.#learn(nodes.flatMap(({ child }) => (child === null ? [] : [childOf(this.#host.id, child)])));
    return nodes.map((node) => ({ node, result: (node.child !== null && this.#ends.get(node.child)?.result) || null }));
  }

  /** The results of all children that have one, in the order of their numbers: those of earlier attempts too. */
  async everyResult(children: number): Promise<Result[]> {
    const numbers = Array.from({ length: children }, (_, i) => i + 1);
    await this.#learn(numbers.map((child) => childOf(this.#host.id, child)));
    return numbers.flatMap((child) => this.#ends.get(child)?.result ?? []);
  }

  /** A task has one result, so a result that was read stays valid. */
  async #learn(ids: readonly TaskId[]): Promise<void> {
    const unknown = [...new Set(ids)].filter((id) => !this.#ends.has(ordinalOf(id)) && !this.#learnHere(id));
    if (unknown.length === 0) return;
    for (const record of (await recordsOf(this.#bus, unknown, ({ phase }) => phase === 'done')).values()) this.#keep(record);
  }

  /** Most children end in the process that hosts their goal. */
  #learnHere(id: TaskId): boolean {
    const ended = this.#bus.recentRecords.takeEnded(id);
    return ended !== null && this.#keep(ended);
  }

  #keep({ id, result, last }: StateRecord): boolean {
    if (!result) return false;
    const { outcome, failure, usageByBackend: usage, toppedUpUsd } = result;
    const child = ordinalOf(id);
    const back: Return = {
      ...{ child, outcome, failure, usage },
      ...(last?.backend && { backend: last.backend }),
      ...(toppedUpUsd && { toppedUpUsd }),
    };
    this.#ends.set(child, { result, back });
    return true;
  }
}
