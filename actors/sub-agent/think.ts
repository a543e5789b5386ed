/** One step of a sub-agent's thinking: it chooses a backend, calls it, and reports the reply to the chart. */
import type { ToolCall } from '../../machines/conversation.ts';
import type { SubAgentEvent, ThinkInput } from '../../machines/sub-agent.ts';
import { CoxError } from '../../platform/errors.ts';
import type { Backends } from '../../roster/backends.ts';
import type { ChatMessage, ModelReply, ModelRequest, RequestedCall } from '../../roster/conversation.ts';
import { ModelError } from '../../roster/errors.ts';
import { estimateTokens } from '../../roster/tokens.ts';
import { clipped } from '../host/clipped.ts';
import { effect } from '../host/effect.ts';
import { failureOf } from '../host/failure-of.ts';
import { Meter, metered } from '../host/meter.ts';
import type { EffectHost } from '../host/role.ts';
import { wholeReply } from '../host/whole-reply.ts';
import { checkArgs, type Kind } from '../kinds/kind.ts';
import { type Tool, toolSpec } from '../tools/tool.ts';
import { compact } from './compaction.ts';
import { notesInWords, workspaceNotes } from './workspace-notes.ts';

export interface ThinkOptions {
  readonly kind: Kind;
  readonly backends: Backends;
  /** Absolute path of the folder that its file tools are confined to. */
  readonly workspace: string;
  /** Whether the operator must allow each call of the tool. */
  readonly isGated: (tool: Tool) => boolean;
}

export const think = (host: EffectHost, options: ThinkOptions) => {
  const { kind, workspace } = options;
  const noted = new Set<string>();
  return effect<ThinkInput, SubAgentEvent>(
    async (given, say, signal) => {
      const { notes, problems } = await workspaceNotes(workspace, kind.tools, given.messages, signal);
      for (const problem of problems) if (!noted.has(problem)) host.note(problem);
      for (const problem of problems) noted.add(problem);
      const input: Thinking = { ...given, notes: notesInWords(notes) };
      const first = choose(host, options, input, []);
      const worstUsd = options.backends.worstCaseUsd(first.backend, first.request);
      // This comes before the commit of the step, so that no correction counts as seen by a call that is not made.
      if (worstUsd !== null && input.leftUsd !== null && worstUsd > input.leftUsd)
        return say({ type: 'CALL_PRICED', backend: first.backend, worstUsd, first: true });
      await host.committed(signal);
      const { backend, reply } = await callSomeone(host, options, input, first, say, signal);
      if (reply.cut !== undefined) host.note(`${backend}: its reply was cut off (${reply.cut})`);
      const calls = reply.calls.map((call, index) => asToolCall(call, `s${input.step}-${index}`, options));
      say({ type: 'MODEL_REPLIED', text: reply.text, calls, usage: reply.usage, backend });
    },
    (cause) => ({ type: 'MODEL_FAILED', error: failureOf(cause) }),
  );
};

/** What a step thinks about; `notes` of the workspace come before everything that the operator says. */
type Thinking = ThinkInput & { readonly notes: string };

interface Choice {
  readonly backend: string;
  readonly request: ModelRequest;
}

/**
 * Chooses the task's own backend, else by routing, and builds the request for it. @throws CoxError `no-backend` if none is left.
 */
function choose(host: EffectHost, options: ThinkOptions, input: Thinking, failed: readonly string[]): Choice {
  const { kind, backends } = options;
  const needs = host.spec.needs.length > 0 ? host.spec.needs : kind.needs;
  const route = backends.route({ needs, backend: input.backend, not: [...host.spec.avoid, ...failed] });
  if (route.backend === null)
    throw new CoxError('no-backend', `No backend can take this: ${route.why}`, {
      hint: 'See "cox menu", and change the roster.',
    });
  host.onBackend(route.backend);
  if (input.step === 1 || failed.length > 0) host.note(`${route.backend}: ${route.why}`);
  const tools = kind.tools.map(toolSpec);
  const entry = backends.menu().find(({ name }) => name === route.backend);
  // As many characters as the context has tokens: about a quarter of it.
  const notes = clipped(input.notes, entry?.context ?? Number.POSITIVE_INFINITY);
  const { messages, done } = compact(input.messages, historyBudget(host, options, route.backend, tools, notes));
  if (done) host.note(`${route.backend}: ${done}`);
  const wanted = tools.filter(({ name }) => name === input.wanted);
  // A small model forgets what it was told; its reply is held to the call of the one tool that is missing.
  const isHeld = wanted.length > 0 && entry?.kind === 'embedded';
  const choice = isHeld ? { tools: wanted, toolChoice: 'required' as const } : { tools };
  return { backend: route.backend, request: { messages: prompt(host, kind, { ...input, messages, notes }), ...choice } };
}

/**
 * If a backend fails with a ModelError, the next candidate is tried and a note tells the operator. A backend that was asked for
 * by name is never replaced.
 */
async function callSomeone(
  host: EffectHost,
  options: ThinkOptions,
  input: Thinking,
  first: Choice,
  say: (fact: SubAgentEvent) => void,
  signal: AbortSignal,
): Promise<{ backend: string; reply: ModelReply }> {
  const failed: string[] = [];
  for (let { backend, request } = first; ; ) {
    const meter = new Meter(host, backend, say, signal);
    try {
      const call = () => callOne(host, options, backend, request, input.step, say, signal, meter);
      const reply = await metered(meter, call);
      return { backend, reply: { ...reply, usage: meter.bill(reply.usage) } };
    } catch (cause) {
      signal.throwIfAborted();
      if (input.backend !== null || !(cause instanceof ModelError)) throw cause;
      failed.push(backend);
      host.note(`${backend} failed (${cause.code})`);
      try {
        ({ backend, request } = choose(host, options, input, failed));
      } catch {
        throw cause;
      }
    }
  }
}

async function callOne(
  host: EffectHost,
  options: ThinkOptions,
  backend: string,
  request: ModelRequest,
  step: number,
  say: (fact: SubAgentEvent) => void,
  signal: AbortSignal,
  meter: Meter,
): Promise<ModelReply> {
  return wholeReply(backend, options.backends.call(backend, request, signal, meter), (text) => {
    say({ type: 'MODEL_SAID', text });
    host.live({ type: 'token', step, text });
  });
}

/** Tokens of a backend's context that are left for the conversation; a quarter of the context is kept for the reply. */
function historyBudget(
  { spec }: EffectHost,
  { kind, backends }: ThinkOptions,
  backend: string,
  tools: object,
  notes: string,
): number {
  const context = backends.menu().find(({ name }) => name === backend)?.context;
  if (!context) return Number.POSITIVE_INFINITY;
  const fixed =
    estimateTokens(kind.prompt) +
    estimateTokens(notes) +
    estimateTokens(JSON.stringify(tools)) +
    spec.context.reduce((sum, { text }) => sum + estimateTokens(text), 0);
  return Math.max(256, context * 0.75 - fixed);
}

/** Results of earlier sub-tasks come before the instruction, so that the model reads the instruction last. */
function prompt({ spec }: EffectHost, kind: Kind, { messages, notes }: Thinking): ChatMessage[] {
  const given = spec.context.map(({ title, text }) => `## ${title}\n${text}`).join('\n\n');
  return [
    { role: 'system', text: kind.prompt.trim() },
    ...(notes ? [{ role: 'user' as const, text: notes }] : []),
    ...(given ? [{ role: 'user' as const, text: `Results of earlier sub-tasks:\n\n${given}` }] : []),
    ...messages,
  ];
}

/** The task gives each call an id of its own, so that a model that repeats an id cannot mix up two calls. */
export function asToolCall(
  { tool: name, args }: Pick<RequestedCall, 'tool' | 'args'>,
  id: string,
  { kind, isGated }: Pick<ThinkOptions, 'kind' | 'isGated'>,
): ToolCall {
  const tool = kind.tools.find((it) => it.name === name);
  const checked = tool && checkArgs(tool, args);
  // A call that cannot run has no effects; `act` tells the model the reason.
  if (!tool || !checked?.ok) return { id, tool: name, args, effects: 'none' };
  return {
    id,
    tool: name,
    args: checked.args,
    effects: tool.effects,
    ...(tool.target && { target: tool.target(checked.args) }),
    ...(isGated(tool) && { gated: true }),
    ...(tool.asks && { asks: true }),
  };
}
