/** The role of a sub-agent: its chart, its effects, and its view for the bus. */
import type { SnapshotFrom } from 'xstate';
import type { Artifacts } from '../../bus/artifacts/artifacts.ts';
import type { TaskState } from '../../bus/messages.ts';
import { parentOf } from '../../bus/task-id.ts';
import { outUsd } from '../../machines/budget.ts';
import { type Message, totalUsage } from '../../machines/conversation.ts';
import { type SubAgentInput, subAgent, subAgentVersion } from '../../machines/sub-agent.ts';
import type { Backends } from '../../roster/backends.ts';
import { swapProblem } from '../host/backend-swap.ts';
import { clipped } from '../host/clipped.ts';
import { deadline } from '../host/deadline.ts';
import { ownEffect } from '../host/effect.ts';
import type { EffectHost, Found, HostedSnapshot, Role } from '../host/role.ts';
import { commandOf, isPlanChange } from '../host/steering-commands.ts';
import type { Kind } from '../kinds/kind.ts';
import { act } from './act.ts';
import { think } from './think.ts';
import { thinkInCode } from './think-in-code.ts';

type Snapshot = SnapshotFrom<typeof subAgent>;
const of = (snapshot: HostedSnapshot) => snapshot as unknown as Snapshot;

const hosted = subAgent.provide({
  actors: { think: ownEffect('think'), act: ownEffect('act'), deadline: ownEffect('deadline') },
});

export interface SubAgentRoleOptions {
  readonly kind: Kind;
  readonly backends: Backends;
  readonly gated: readonly string[];
  /** Absolute path of the folder that its file tools are confined to. */
  readonly workspace: string;
  /** Keeps what calls replace. */
  readonly artifacts: Artifacts;
  readonly now: () => Date;
}

export function subAgentRole(host: EffectHost, options: SubAgentRoleOptions): Role {
  const { kind, backends, now } = options;
  const { spec } = host;
  const input: SubAgentInput = {
    instruction: spec.instruction,
    backend: spec.backend,
    limits: {
      ...kind.limits,
      ...(spec.limits.steps !== undefined && { steps: spec.limits.steps }),
      ...(spec.limits.costUsd !== undefined && { costUsd: limitOf(host.id, spec.limits.costUsd, kind.limits.costUsd) }),
      deadlineAt: spec.deadlineAt === null ? null : Date.parse(spec.deadlineAt),
    },
    ...(host.carryover && { earlier: host.carryover }),
  };
  return {
    machine: { id: subAgent.id, version: subAgentVersion },
    logic: hosted,
    effects: {
      think: kind.think ? thinkInCode(host, { ...options, run: kind.think }) : think(host, options),
      act: act(host, options),
      deadline: deadline(now),
    },
    input,
    parks: (snapshot) => (snapshot.value === 'awaiting-steer' ? 'now' : 'no'),
    calls: {
      inFlight: (snapshot) => {
        const [call] = of(snapshot).context.calls;
        return call?.started && call.effects === 'writes' ? call.id : null;
      },
      returned: (call, text, failed) => ({ type: 'TOOL_RETURNED', call, text, ...(failed && { failed: true }) }),
    },
    mustFinish: (snapshot) => stateOf(of(snapshot)) === 'acting' && of(snapshot).context.calls[0]?.effects !== 'none',
    deadlineAt: (snapshot) => of(snapshot).context.limits.deadlineAt,
    eventOf: (steer, message) => {
      const problem = message.type === 'swap' ? swapProblem(message.backend, backends) : null;
      if (isPlanChange(message))
        return { refused: `${message.type} changes the plan of a goal; this is a ${spec.type} task without one` };
      return problem === null ? { event: commandOf(steer, message) } : { refused: problem };
    },
    progress: (snapshot) => {
      const { messages, steers } = of(snapshot).context;
      return `${messages.filter((message) => message.role !== 'assistant' || !message.unfinished).length} ${steers.length}`;
    },
    view: (snapshot) => {
      const { context } = of(snapshot);
      const state = stateOf(of(snapshot));
      const [call] = context.calls;
      return {
        state,
        usage: totalUsage(context.usage),
        outUsd: outUsd(context),
        children: 0,
        plan: [],
        outcome: context.outcome?.kind ?? null,
        ...(state === 'acting' && call && { doing: `${call.tool} ${JSON.stringify(call.args)}`.slice(0, 300) }),
      };
    },
    result: async (snapshot) => resultOf(of(snapshot)),
  };
}

/** A limit given at dispatch replaces the limit of the kind. A slice of a goal's budget can only lower it. */
const limitOf = (id: string, asked: number | null, ofKind: number | null): number | null =>
  parentOf(id) === null || asked === null || ofKind === null ? asked : Math.min(asked, ofKind);

export const stateOf = ({ value }: { value: unknown }): TaskState =>
  (typeof value === 'string' ? value : Object.values(value as Record<string, string>)[0]) as TaskState;

function resultOf({ context }: Snapshot): Found {
  const { outcome, answer, messages, calls, step, usage, toppedUpUsd, instruction } = context;
  const isCompleted = outcome?.kind === 'completed';
  return {
    outcome: outcome?.kind ?? 'failed',
    output: isCompleted ? answer : null,
    failure: outcome?.kind === 'failed' ? { code: outcome.code, message: outcome.message, retryable: outcome.retryable } : null,
    salvage: {
      findings: messages.flatMap(findingOf),
      remaining: isCompleted
        ? null
        : calls.length > 0
          ? `${instruction} (it was about to run ${calls.map(({ tool }) => tool).join(', ')})`
          : instruction,
      artifacts: [],
      steps: step,
    },
    usage: totalUsage(usage),
    usageByBackend: { ...usage },
    ...(toppedUpUsd > 0 && { toppedUpUsd }),
  };
}

/** The findings of a task are the replies of its model and the results of its tools, so that others can continue from them. */
const findingOf = (message: Message): string[] => {
  if (message.role === 'user' || message.text.trim() === '') return [];
  if (message.role === 'assistant') return [message.unfinished ? `${message.text} [unfinished]` : message.text];
  return [clipped(message.text)];
};
