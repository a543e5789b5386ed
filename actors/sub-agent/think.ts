/** One step of a sub-agent's thinking: it chooses a backend, calls it, and reports the reply to the chart. */
import { parentOf } from '../../bus/task-id.ts';
import { type Effects, noUsage, type ToolCall, type Usage } from '../../machines/conversation.ts';
import type { SubAgentEvent, ThinkInput } from '../../machines/sub-agent.ts';
import { CoxError } from '../../platform/errors.ts';
import type { Backends } from '../../roster/backends.ts';
import type { ModelReply, ModelRequest, RequestedCall } from '../../roster/conversation.ts';
import { ModelError } from '../../roster/errors.ts';
import { begunAnew } from '../../roster/history.ts';
import { effect } from '../host/effect.ts';
import { failureOf } from '../host/failure-of.ts';
import { Meter, metered } from '../host/meter.ts';
import { digestOf } from '../host/prompt-digest.ts';
import type { EffectHost } from '../host/role.ts';
import { wholeReply } from '../host/whole-reply.ts';
import { EffectsWord, heardFrom, Target } from '../kinds/code-of-others.ts';
import { checkArgs, type Kind } from '../kinds/kind.ts';
import type { Tool } from '../tools/tool.ts';
import type { Pictures } from './pictures.ts';
import { type Choice, requestFor, type Thinking } from './request-of-step.ts';
import {
  type Form,
  fillingCalls,
  formOf,
  hasPages,
  openingDue,
  sending,
  sentInWords,
  valuesMessages,
  valuesShape,
} from './small-form.ts';
import { closing, readsDue, writingOf } from './small-model.ts';
import { notesInWords, workspaceNotes } from './workspace-notes.ts';

export interface ThinkOptions {
  readonly kind: Kind;
  readonly backends: Backends;
  readonly pictures: Pictures;
  /** Absolute path of the folder that its file tools are confined to. */
  readonly workspace: string;
  /** Whether the operator must allow each call of the tool. */
  readonly isGated: (tool: Tool) => boolean;
  /** A reply as the conversation keeps it: a long one is shortened, and its whole is an artifact. */
  readonly shortened: (text: string, signal: AbortSignal) => Promise<string>;
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
      const first = await choose(host, options, input, [], signal);
      const byCode = first.isSmall ? await stepOfCode(host, options, input) : null;
      if (byCode) {
        await host.committed(signal);
        const text = await options.shortened(byCode.text, signal);
        return say({ type: 'MODEL_REPLIED', ...byCode, text, usage: noUsage, backend: first.backend });
      }
      const form = first.isSmall ? formOf(input, kind.tools) : null;
      if (form) return say(await valuesOfForm(host, options, { input, form, backend: first.backend }, say, signal));
      const worstUsd = options.backends.worstCaseUsd(first.backend, first.request);
      // This comes before the commit of the step, so that no correction counts as seen by a call that is not made.
      if (worstUsd !== null && input.leftUsd !== null && worstUsd > input.leftUsd)
        return say({ type: 'CALL_PRICED', backend: first.backend, worstUsd, first: true });
      await host.committed(signal);
      const { backend, file, reply } = await callSomeone(host, options, input, first, say, signal);
      if (file !== null && (reply.finish === 'length' || reply.cut !== undefined)) throw cutOff(backend, file);
      if (reply.cut !== undefined) host.note(`${backend}: its reply is not whole (${reply.cut})`);
      const requested = file === null ? reply.calls : [writingOf(file, reply.text)];
      const calls = await asToolCalls(requested, input.step, options);
      const { usage, echo } = reply;
      const text = file === null ? await options.shortened(reply.text, signal) : '';
      say({ type: 'MODEL_REPLIED', text, calls, usage, backend, echo });
    },
    (cause) => ({ type: 'MODEL_FAILED', error: failureOf(cause) }),
  );
};

/** A step in which a small model has nothing to decide; null: the model is asked. */
async function stepOfCode(
  { spec }: EffectHost,
  options: ThinkOptions,
  input: Thinking,
): Promise<{ text: string; calls: ToolCall[] } | null> {
  const { kind, workspace } = options;
  const reads = hasPages(kind.tools) ? [] : await readsDue(spec, input, kind.tools, workspace);
  if (reads.length > 0) return { text: '', calls: await asToolCalls(reads, input.step, options) };
  const opening = await openingDue(spec, input, kind.tools, workspace);
  if (opening.length > 0) return { text: '', calls: await asToolCalls(opening, input.step, options) };
  const text = (await closing(spec, input, workspace)) ?? sentInWords(input);
  return text === null ? null : { text, calls: [] };
}

/** A small model is asked for the values of a form, and code fills them in; once it is filled in, code sends it. */
async function valuesOfForm(
  host: EffectHost,
  options: ThinkOptions,
  { input, form, backend }: { readonly input: Thinking; readonly form: Form; readonly backend: string },
  say: (fact: SubAgentEvent) => void,
  signal: AbortSignal,
): Promise<SubAgentEvent> {
  await host.committed(signal);
  const reply = async (requested: readonly Omit<RequestedCall, 'id'>[], usage: Usage): Promise<SubAgentEvent> => {
    const calls = await asToolCalls(requested, input.step, options);
    return { type: 'MODEL_REPLIED', text: '', calls, usage, backend };
  };
  if (!form.isOpen) return reply([sending(form)], noUsage);
  const maxChars = (options.backends.menu().find(({ name }) => name === backend)?.context ?? 8_192) * 1.5;
  const messages = valuesMessages(host.spec, input, form, maxChars);
  const request = { messages, shape: valuesShape(form), shapeName: 'values', temperature: 0 };
  const meter = new Meter(host, backend, say, signal);
  const { value, usage } = await metered(meter, () => options.backends.ask(backend, request, signal, meter));
  return reply(fillingCalls(form, value, input), meter.bill(usage));
}

/** A file must not look whole that is not. */
const cutOff = (backend: string, file: string) =>
  new CoxError('cut-off', `The content of ${file} is longer than a reply of ${backend}`, {
    hint: 'Raise `max_output` of the backend in the roster, swap to another one, or ask for less.',
  });

/**
 * Chooses the task's own backend, else by routing, and builds the request for it. @throws CoxError `no-backend` if none is left.
 */
async function choose(
  host: EffectHost,
  options: ThinkOptions,
  input: Thinking,
  failed: readonly string[],
  signal: AbortSignal,
): Promise<Choice> {
  const { kind, backends } = options;
  const needs = host.spec.needs.length > 0 ? host.spec.needs : kind.needs;
  const route = backends.route({
    needs,
    prefers: kind.prefers ?? [],
    backend: input.backend,
    not: [...host.spec.avoid, ...failed],
    isSubTask: parentOf(host.id) !== null,
  });
  if (route.backend === null)
    throw new CoxError('no-backend', `No backend can take this: ${route.why}`, {
      hint: 'See "cox menu", and change the roster.',
    });
  host.onBackend(route.backend);
  const isFirst = input.step === 1 || failed.length > 0;
  if (isFirst) host.note(`${route.backend}: ${route.why}`);
  const choice = await requestFor(host, options, input, route.backend, isFirst, signal);
  host.sends(input.step, digestOf(choice.request, choice.notes));
  return choice;
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
): Promise<{ backend: string; file: string | null; reply: ModelReply }> {
  const failed: string[] = [];
  let hasSpoken = false;
  const heard = (fact: SubAgentEvent): void => {
    hasSpoken ||= fact.type === 'MODEL_SAID';
    say(fact);
  };
  for (let { backend, file, request } = first; ; ) {
    const meter = new Meter(host, backend, say, signal);
    try {
      const call = () => callOne(host, options, backend, request, input.step, heard, signal, meter);
      const reply = await metered(meter, call);
      return { backend, file, reply: { ...reply, usage: meter.bill(reply.usage) } };
    } catch (cause) {
      signal.throwIfAborted();
      if (input.backend !== null || !(cause instanceof ModelError)) throw cause;
      failed.push(backend);
      host.note(`${backend} failed (${cause.code})`);
      try {
        ({ backend, file, request } = await choose(host, options, input, failed, signal));
      } catch {
        throw cause;
      }
      // Both belong to the same step, and a later reader has to tell them apart.
      if (hasSpoken) told(host, input.step, heard, begunAnew);
      hasSpoken = false;
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
  return wholeReply(backend, options.backends.call(backend, request, signal, meter), (text) => told(host, step, say, text));
}

function told(host: EffectHost, step: number, say: (fact: SubAgentEvent) => void, text: string): void {
  say({ type: 'MODEL_SAID', text });
  host.live({ type: 'token', step, text });
}

/** The task gives each call an id of its own, so that a model that repeats an id cannot mix up two calls. */
export const asToolCalls = (
  calls: readonly Pick<RequestedCall, 'tool' | 'args'>[],
  step: number,
  options: Pick<ThinkOptions, 'kind' | 'isGated'>,
): Promise<ToolCall[]> => Promise.all(calls.map((call, index) => asToolCall(call, `s${step}-${index}`, options)));

async function asToolCall(
  { tool: name, args }: Pick<RequestedCall, 'tool' | 'args'>,
  id: string,
  { kind, isGated }: Pick<ThinkOptions, 'kind' | 'isGated'>,
): Promise<ToolCall> {
  const tool = kind.tools.find((it) => it.name === name);
  const checked = tool && (await checkArgs(tool, args));
  // A call that cannot run has no effects; `act` tells the model the reason.
  if (!tool || !checked?.ok) return { id, tool: name, args, effects: 'none' };
  return {
    id,
    tool: name,
    args: checked.args,
    effects: await effectsOfCall(tool, checked.args),
    ...(tool.effectsOf && { varies: true }),
    ...(await targetOf(tool, checked.args)),
    ...((isGated(tool) || tool.decides) && { gated: true }),
    ...(tool.decides && !isGated(tool) && { mayPass: true }),
    ...(tool.asks && { asks: true }),
  };
}

/** A call whose tool cannot say what effects it has may have any. */
async function effectsOfCall(tool: Tool, args: unknown): Promise<Effects> {
  if (!tool.effectsOf) return tool.effects;
  const effects = () => tool.effectsOf!(structuredClone(args));
  return heardFrom(`effectsOf of ${tool.name}`, EffectsWord, effects).catch(() => 'writes');
}

/** A call whose tool cannot say what it is about is named by its tool. */
async function targetOf(tool: Tool, args: unknown): Promise<Pick<ToolCall, 'target'>> {
  if (!tool.target) return {};
  const name = () => tool.target!(structuredClone(args));
  return heardFrom(`target of ${tool.name}`, Target, name).then(
    (target) => ({ target }),
    () => ({}),
  );
}
