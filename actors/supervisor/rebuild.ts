/** Builds the requests of a goal again: for a plan, and for the last reduction. No backend is called for it. */
import type { Bus } from '../../bus/bus.ts';
import type { RebuiltPrompt } from '../../bus/journal/journal.ts';
import { keptOf } from '../../bus/journal/kept-conversation.ts';
import type { Step } from '../../bus/journal/steps.ts';
import { recordsOf } from '../../bus/state/batch-get.ts';
import type { StateRecord } from '../../bus/state/state-record.ts';
import { childOf } from '../../bus/task-id.ts';
import { all } from '../../machines/plan.ts';
import { supervisorVersion } from '../../machines/supervisor.ts';
import type { SupervisorContext } from '../../machines/supervisor-context.ts';
import type { Backends } from '../../roster/backends.ts';
import type { ModelRequest } from '../../roster/conversation.ts';
import { digestOf } from '../host/prompt-digest.ts';
import { planMessages } from './decompose.ts';
import type { PlanOptions } from './plan-request.ts';
import { type NodeResult, reduceRequest, unknownContext } from './reduce.ts';

export interface RebuildGoalOptions extends Pick<PlanOptions, 'kinds'> {
  readonly bus: Bus;
  readonly backends: Backends;
}

/** @returns null for a step of code, for a reduction that another one has replaced, and for a checkpoint of another version. */
export async function rebuildGoal(options: RebuildGoalOptions, record: StateRecord, step: Step): Promise<RebuiltPrompt | null> {
  if (step.backend === null || step.digest === null || record.machine?.version !== supervisorVersion) return null;
  const context = record.snapshot?.context as SupervisorContext | undefined;
  const request = context && (await requestOf(options, record, context, step));
  if (!request) return null;
  const messages = request.messages.map(({ role, text }) => ({ role, text }));
  return { messages, tools: [], digest: digestOf(request), shortened: null };
}

async function requestOf(
  { bus, backends, kinds }: RebuildGoalOptions,
  record: StateRecord,
  context: SupervisorContext,
  { state, step, backend, instruction }: Step,
): Promise<ModelRequest | null> {
  if (state === 'decomposing') {
    const heard = keptOf(record).steers.filter(({ kind, step: at = 0 }) => kind === 'steer' && at <= step);
    const corrections = context.corrections.slice(0, heard.length);
    return { messages: planMessages({ ...context, instruction, corrections, nodes: {}, step }, { kinds }) };
  }
  const { reduce } = context;
  if (state !== 'reducing' || step !== context.step || !reduce || !('instruction' in reduce)) return null;
  const tokens = backends.menu().find(({ name }) => name === backend)?.context ?? unknownContext;
  return reduceRequest({ ...context, instruction }, reduce.instruction, await outcomesOf(bus, record, context), tokens);
}

async function outcomesOf(bus: Bus, { id }: StateRecord, { nodes }: SupervisorContext): Promise<NodeResult[]> {
  const of = (child: number) => childOf(id, child);
  const ids = all(nodes).flatMap(({ child }) => (child === null ? [] : [of(child)]));
  const records = await recordsOf(bus, ids, ({ phase }) => phase === 'done');
  return all(nodes).map((node) => ({ node, result: (node.child !== null && records.get(of(node.child))?.result) || null }));
}
