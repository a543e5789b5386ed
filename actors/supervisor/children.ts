/**
 * Sub-tasks as desired state: what the supervisor's commit decided is made true on the bus, and may be made true again after a crash without
 * doing anything twice (PROTOCOL lines 1 and 14). Returns are believed by the child's state record, never by what stands on `result`.
 */
import type { Bus } from '../../bus/bus.ts';
import type { Result, TaskSpec } from '../../bus/messages.ts';
import { publish } from '../../bus/publish.ts';
import { endTask } from '../../bus/queue/end-task.ts';
import { enqueue } from '../../bus/queue/task-queue.ts';
import { messagesAfter, recordsOf } from '../../bus/state/batch-get.ts';
import { newRecord, type StateRecord } from '../../bus/state/state-record.ts';
import { readState } from '../../bus/state/state-store.ts';
import { childOf, ordinalOf, parentOf, rootOf, type TaskId } from '../../bus/task-id.ts';
import { type PlanNode, running } from '../../machines/plan.ts';
import type { Return, SupervisorContext } from '../../machines/supervisor-context.ts';
import type { EffectHost } from '../host/role.ts';
import type { NodeResult } from './reduce.ts';

export class Children {
  readonly #bus: Bus;
  readonly #host: EffectHost;
  readonly #now: () => Date;
  /** Told of in this process; after a crash everything is told again. */
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
    const words = { type: 'steer', id: name, text, urgency };
    await this.#tell(childOf(this.#host.id, child), kind === 'cancel' ? { type: 'cancel', id: name } : words);
  }

  async #dispatch(node: PlanNode, context: SupervisorContext): Promise<void> {
    const child = node.child!;
    this.#dispatched.add(child);
    const id = childOf(this.#host.id, child);
    await enqueue(this.#bus, node.type, 'pending', { id, run: 1, spec: await this.#spec(node, context) });
  }

  /**
   * A child that is stopped in the commit that planned it, or before a crash let its ticket out, was never told of. Its return is waited for
   * all the same, so it is ended here; one that a worker has claimed after all is told to stop like the others. In one commit: its ticket may
   * be waiting in the queue, and whoever takes it must not find a task to begin.
   */
  async #takeBack(child: number): Promise<void> {
    this.#dispatched.add(child);
    const { id: parent, spec } = this.#host;
    const id = childOf(parent, child);
    const at = this.#now().toISOString();
    const unstarted = { ...spec, plan: null, context: [], instruction: 'Taken back before it was started.' };
    for (;;) {
      const stored = (await readState(this.#bus, id)) ?? { record: newRecord(id, unstarted, parent, at), revision: 0 };
      const { epoch, phase } = stored.record;
      if (epoch > 0 || phase === 'done' || (await endTask(this.#bus, stored, null, at))) return;
    }
  }

  async #spec(node: PlanNode, { nodes, corrections, slices }: SupervisorContext): Promise<TaskSpec> {
    const { spec } = this.#host;
    const costUsd = slices[node.child!];
    const needed = await this.outcomes(node.after.flatMap((key) => nodes[key] ?? []));
    const added = corrections.slice(0, node.corrections).map((text) => `\n\nThe operator added: ${text}`);
    return {
      type: node.type,
      instruction: `${node.instruction}${added.join('')}`,
      needs: [...node.needs],
      backend: node.backend,
      workspace: spec.workspace,
      deadlineAt: spec.deadlineAt,
      limits: costUsd === undefined ? {} : { costUsd },
      plan: null,
      avoid: [...new Set([...spec.avoid, ...node.without])],
      context: needed.map(({ node: { key }, result }) => ({
        title: key,
        text: result?.output ?? `(no result: ${result?.failure?.message ?? result?.outcome ?? 'none'})`,
      })),
    };
  }

  async #tell(id: TaskId, message: { id: string; type: string; text?: string; urgency?: string }): Promise<void> {
    await publish(this.#bus, this.#bus.subjects.of(id, 'steering'), JSON.stringify({ ...message, from: this.#host.id }), {
      msgID: `${id}:${message.id}`,
    });
  }

  /** Children whose results stand on the log after `cursor`, in one batch. */
  async returns(cursor: number, children: number): Promise<{ returns: Return[]; cursor: number }> {
    const { subjects } = this.#bus;
    const filter = subjects.every('result', rootOf(this.#host.id));
    const messages = await messagesAfter(this.#bus, subjects.logStream, filter, cursor);
    const ids = messages.map(({ subject }) => subjects.parse(subject)?.id);
    // Anybody may write to a `result`: one of a number that was never given is not looked for.
    const isMine = (id: TaskId) => parentOf(id) === this.#host.id && ordinalOf(id) <= children;
    const mine = ids.filter((id): id is TaskId => id != null && isMine(id));
    await this.#learn(mine);
    const returns = [...new Set(mine)].flatMap((id) => this.#ends.get(ordinalOf(id))?.back ?? []);
    return { returns, cursor: messages.at(-1)?.seq ?? cursor };
  }

  async outcomes(nodes: readonly PlanNode[]): Promise<NodeResult[]> {
    await this.#learn(nodes.flatMap(({ child }) => (child === null ? [] : [childOf(this.#host.id, child)])));
    return nodes.map((node) => ({ node, result: (node.child !== null && this.#ends.get(node.child)?.result) || null }));
  }

  /** An id has one result, so what is known of one stays true. */
  async #learn(ids: readonly TaskId[]): Promise<void> {
    const unknown = [...new Set(ids)].filter((id) => !this.#ends.has(ordinalOf(id)) && !this.#learnHere(id));
    if (unknown.length === 0) return;
    for (const record of (await recordsOf(this.#bus, unknown, ({ phase }) => phase === 'done')).values()) this.#keep(record);
  }

  /** Most end in the process that their goal is in. */
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
