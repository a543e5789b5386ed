/** The role of a sub-agent: its chart, its effects, and its view for the bus. */
import type { SnapshotFrom } from 'xstate';
import type { Artifacts } from '../../bus/artifacts/artifacts.ts';
import { shortened } from '../../bus/artifacts/long-text.ts';
import type { TaskSpec, TaskState } from '../../bus/messages.ts';
import { parentOf } from '../../bus/task-id.ts';
import { outUsd } from '../../machines/budget.ts';
import { argsShown, type Calls, type Message, mayHaveRun, totalUsage } from '../../machines/conversation.ts';
import { type SubAgentInput, subAgent, subAgentVersion } from '../../machines/sub-agent.ts';
import type { Backends } from '../../roster/backends.ts';
import { swapProblem } from '../host/backend-swap.ts';
import { clipped } from '../host/clipped.ts';
import { deadline } from '../host/deadline.ts';
import { ownEffect } from '../host/effect.ts';
import { listedEffects, maxSources } from '../host/listed-effects.ts';
import type { EffectHost, Found, HostedSnapshot, Role } from '../host/role.ts';
import { commandOf, isPlanChange } from '../host/steering-commands.ts';
import { wholeAnswer, withWhole } from '../host/whole-answer.ts';
import type { Kind } from '../kinds/kind.ts';
import { readArtifactTool } from '../tools/read-artifact.ts';
import type { Tool } from '../tools/tool.ts';
import { act } from './act.ts';
import { check } from './check.ts';
import { lookAt } from './look.ts';
import { MakingLimits } from './making.ts';
import type { Pictures } from './pictures.ts';
import { preview } from './preview.ts';
import { think } from './think.ts';
import { thinkInCode } from './think-in-code.ts';

type Snapshot = SnapshotFrom<typeof subAgent>;
const of = (snapshot: HostedSnapshot) => snapshot as unknown as Snapshot;

const hosted = subAgent.provide({
  actors: {
    think: ownEffect('think'),
    act: ownEffect('act'),
    preview: ownEffect('preview'),
    check: ownEffect('check'),
    deadline: ownEffect('deadline'),
  },
});

export interface SubAgentRoleOptions {
  readonly kind: Kind;
  readonly backends: Backends;
  /** Names of tools whose every call the operator must allow. */
  readonly gated: readonly string[];
  /** Names of tools that run unasked, also where they decide about each call themselves. */
  readonly allowed: readonly string[];
  /** Absolute path of the folder that its file tools are confined to. */
  readonly workspace: string;
  /** Keeps what calls replace and make. */
  readonly artifacts: Artifacts;
  readonly pictures: Pictures;
  readonly now: () => Date;
}

export function subAgentRole(host: EffectHost, options: SubAgentRoleOptions): Role {
  const { backends, now, gated, artifacts } = options;
  const { spec } = host;
  const kind = withReading(options.kind, spec);
  const input: SubAgentInput = {
    instruction: spec.instruction,
    backend: spec.backend,
    limits: {
      ...kind.limits,
      ...(spec.limits.steps !== undefined && { steps: spec.limits.steps }),
      ...(spec.limits.costUsd !== undefined && { costUsd: limitOf(host.id, spec.limits.costUsd, kind.limits.costUsd) }),
      deadlineAt: spec.deadlineAt === null ? null : Date.parse(spec.deadlineAt),
    },
    mustProduce: (spec.produces ?? []).length > 0 || spec.expect !== undefined || kind.check !== undefined,
    allowed: spec.allowed ?? [],
    ...(host.carryover && { earlier: host.carryover }),
  };
  const making = new MakingLimits(artifacts, host.id);
  const short = (text: string, signal: AbortSignal) => shortened(artifacts, host.id, text, signal);
  const acting = { ...options, kind, making };
  const isGated = (tool: Tool) => gated.includes(tool.name) || (spec.approval === 'every-effect' && tool.effects !== 'none');
  return {
    machine: { id: subAgent.id, version: subAgentVersion },
    logic: hosted,
    effects: {
      think: kind.think
        ? thinkInCode(host, { kind, isGated, shortened: short, run: kind.think })
        : think(host, { kind, backends, pictures: options.pictures, workspace: options.workspace, isGated, shortened: short }),
      act: act(host, acting),
      preview: preview(host, acting),
      check: check(host, { ...options, wholeAnswer: (answer) => wholeAnswer(artifacts, host.id, answer) }),
      deadline: deadline(now),
    },
    input,
    prepare: (snapshot) => {
      const { calls, question, step } = of(snapshot).context;
      const [call] = calls;
      const isInDoubt = call !== undefined && question === null && call.effects === 'writes' && mayHaveRun(call);
      return isInDoubt ? lookAt(host, { ...options, making }, call, step) : null;
    },
    parks: (snapshot) => (snapshot.value === 'awaiting-steer' ? 'now' : 'no'),
    calls: {
      inFlight: (snapshot) => {
        const [call] = of(snapshot).context.calls;
        return call?.started && call.effects === 'writes' ? call.id : null;
      },
      returned: (call, { text, failed, changes }) => ({
        ...{ type: 'TOOL_RETURNED', call, text, changes },
        ...(failed && { failed: true }),
      }),
    },
    mustFinish: (snapshot) => leafOf(of(snapshot)) === 'acting' && of(snapshot).context.calls[0]?.effects !== 'none',
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
      const doing = doingOf(of(snapshot));
      return {
        state,
        usage: totalUsage(context.usage),
        outUsd: outUsd(context),
        children: 0,
        plan: [],
        outcome: context.outcome?.kind ?? null,
        effects: context.effects.slice(-mostRecent),
        ...(doing && { doing }),
        ...(state === 'thinking' && !kind.think && { told: context.messages.length }),
      };
    },
    result: (snapshot) => withWhole(artifacts, host.id, resultOf(of(snapshot))),
  };
}

/** A sub-task that is given a long result can read all of it, whatever tools its kind has. */
export function withReading(kind: Kind, { context }: TaskSpec): Kind {
  if (kind.think || !context.some(({ whole }) => whole) || kind.tools.some(({ name }) => name === readArtifactTool.name))
    return kind;
  return { ...kind, tools: [...kind.tools, readArtifactTool] };
}

/** A limit given at dispatch replaces the limit of the kind. A slice of a goal's budget can only lower it. */
const limitOf = (id: string, asked: number | null, ofKind: number | null): number | null =>
  parentOf(id) === null || asked === null || ofKind === null ? asked : Math.min(asked, ofKind);

const leafOf = ({ value }: { value: unknown }): string =>
  typeof value === 'string' ? value : Object.values(value as Record<string, string>)[0]!;

/** Clients know `thinking` and `acting`; what code does between the two is acting. */
export const stateOf = (snapshot: { value: unknown }): TaskState => {
  const leaf = leafOf(snapshot);
  return (leaf === 'previewing' || leaf === 'checking' ? 'acting' : leaf) as TaskState;
};

function doingOf(snapshot: Snapshot): string | null {
  const [call] = snapshot.context.calls;
  const leaf = leafOf(snapshot);
  if (leaf === 'checking') return 'checking what it had to produce';
  if (leaf === 'previewing') return `looking what ${call?.tool} would change`;
  return leaf === 'acting' && call ? clipped(`${call.tool} ${argsShown(call)}`, 300) : null;
}

/** Number of effects in a status. */
const mostRecent = 16;

function resultOf({ context }: Snapshot): Found {
  const { outcome, answer, messages, calls, step, usage, toppedUpUsd, instruction, effects, sources } = context;
  const isCompleted = outcome?.kind === 'completed';
  return {
    outcome: outcome?.kind ?? 'failed',
    output: isCompleted ? answer : null,
    failure: outcome?.kind === 'failed' ? { code: outcome.code, message: outcome.message, retryable: outcome.retryable } : null,
    salvage: {
      findings: messages.filter(isFinding(calls)).flatMap(findingOf),
      remaining: isCompleted
        ? null
        : calls.length > 0
          ? `${instruction} (it was about to run ${calls.map(({ tool }) => tool).join(', ')})`
          : instruction,
      artifacts: [],
      steps: step,
    },
    ...listedEffects(effects),
    sources: sources.slice(0, maxSources),
    usage: totalUsage(usage),
    usageByBackend: { ...usage },
    ...(toppedUpUsd > 0 && { toppedUpUsd }),
  };
}

/** The result of a call that did not run, or was stopped without an effect, says only that. */
const isFinding = (open: Calls) => {
  const without = new Set(open.filter((call) => !mayHaveRun(call)).map(({ id }) => id));
  return (message: Message): boolean => message.role !== 'tool' || !without.has(message.call);
};

/** The findings of a task are the replies of its model and the results of its tools, so that others can continue from them. */
const findingOf = (message: Message): string[] => {
  if (message.role === 'user' || message.text.trim() === '') return [];
  if (message.role === 'assistant') return [message.unfinished ? `${message.text} [unfinished]` : message.text];
  return [clipped(message.text)];
};
