/** The request of one step of a sub-agent's thinking, on a given backend. A replay builds it by the same code (docs/adr/0038). */
import { wholeIn } from '../../bus/artifacts/long-text.ts';
import type { WholeText } from '../../bus/messages.ts';
import type { ThinkInput } from '../../machines/sub-agent.ts';
import type { Backends } from '../../roster/backends.ts';
import type { ChatMessage, ModelRequest } from '../../roster/conversation.ts';
import { estimateTokens } from '../../roster/tokens.ts';
import { clipped, clippedToTokens } from '../host/clipped.ts';
import type { EffectHost } from '../host/role.ts';
import type { Kind } from '../kinds/kind.ts';
import { readArtifactTool } from '../tools/read-artifact.ts';
import { toolSpec } from '../tools/tool.ts';
import { compact } from './compaction.ts';
import { choosePictures, type Pictures } from './pictures.ts';
import { contentDue, contentMessages, type Offer, offered } from './small-model.ts';

export interface RequestOptions {
  readonly kind: Kind;
  readonly backends: Backends;
  readonly pictures: Pictures;
}

/** The input of a step. Its `notes` are the workspace's; the model reads them before everything that the operator says. */
export type Thinking = ThinkInput & { readonly notes: string };

export interface Choice {
  readonly backend: string;
  /** Whether the model is a small embedded one, for which code decides more. */
  readonly isSmall: boolean;
  /** The file of which the reply is the content; null: the reply is a reply. */
  readonly file: string | null;
  readonly request: ModelRequest;
  /** The notes of the workspace as the request has them; empty: there are none. */
  readonly notes: string;
  /** How the conversation was shortened to fit; null: it was not. */
  readonly shortened: string | null;
}

/** @param isFirst whether the operator has not been told yet what does not fit into the backend. */
export async function requestFor(
  host: Pick<EffectHost, 'spec' | 'note'>,
  options: RequestOptions,
  input: Thinking,
  backend: string,
  isFirst: boolean,
  signal: AbortSignal,
): Promise<Choice> {
  const { kind, backends, pictures } = options;
  const entry = backends.menu().find(({ name }) => name === backend);
  const isSmall = entry?.kind === 'embedded';
  const { tools, toolChoice }: Offer = isSmall ? offered(host.spec, input, kind.tools) : { tools: kind.tools.map(toolSpec) };
  // As many characters as the context has tokens: about a quarter of it.
  const notes = clipped(input.notes, entry?.context ?? Number.POSITIVE_INFINITY);
  const seen = choosePictures(input.messages, entry?.pictures, entry?.context ?? null);
  const room = roomFor(options, backend, tools, notes) - seen.tokens;
  const given = resultsWithin(host, room * shareOfResults);
  if (given.clipped.length > 0 && isFirst)
    host.note(`${backend}: the results of ${given.clipped.join(', ')} were clipped to fit`);
  const { messages, done } = compact(input.messages, Math.max(256, room - estimateTokens(given.text)));
  if (done) host.note(`${backend}: ${done}`);
  const file = isSmall ? contentDue(host.spec, input, kind.tools) : null;
  if (file !== null) {
    const about = { prompt: kind.prompt, notes, maxChars: (entry?.context ?? 8_192) * 1.5 };
    const { messages: content, cut } = contentMessages(host.spec, input, file, about);
    if (cut.length > 0)
      host.note(`${file} is written from only a part of ${cut.join(', ')}: the rest does not fit into ${backend}`);
    return { backend, isSmall, file, request: { messages: content }, notes: '', shortened: done };
  }
  const told = await pictures.into(prompt(kind, { ...input, messages, notes }, given.text), seen, signal);
  const request = { messages: told, tools, ...(toolChoice && { toolChoice }) };
  return { backend, isSmall, file, request, notes, shortened: done };
}

/** Tokens of a backend's context for the conversation and what comes before it; a quarter of the context is kept for the reply. */
function roomFor({ kind, backends }: RequestOptions, backend: string, tools: object, notes: string): number {
  const context = backends.menu().find(({ name }) => name === backend)?.context;
  if (!context) return Number.POSITIVE_INFINITY;
  const fixed = estimateTokens(kind.prompt) + estimateTokens(notes) + estimateTokens(JSON.stringify(tools));
  return Math.max(256, context * 0.75 - fixed);
}

/** The part of the room that the results of earlier sub-tasks may take, so that the conversation has room for tool results. */
const shareOfResults = 0.6;

/**
 * The results of earlier sub-tasks in at most `maxTokens`. The long ones are clipped, and are named in `clipped`. Each that is not
 * shown whole says where the model reads the rest.
 */
function resultsWithin({ spec }: Pick<EffectHost, 'spec'>, maxTokens: number): { text: string; clipped: string[] } {
  const given = spec.context.map(({ text }) => text);
  const refs = spec.context.map(({ whole }) => (whole ? restOf(whole) : ''));
  const texts = clippedToTokens(given, maxTokens - refs.reduce((sum, ref) => sum + estimateTokens(ref), 0));
  const isAll = (i: number) => texts[i] === given[i] && wholeIn(given[i]!) === null;
  return {
    text: spec.context.map(({ title }, i) => `## ${title}\n${texts[i]}${isAll(i) ? '' : refs[i]}`).join('\n\n'),
    clipped: spec.context.filter((_, i) => texts[i] !== given[i]).map(({ title }) => title),
  };
}

const restOf = ({ ref, bytes }: WholeText): string =>
  `\n[This is not all: ${readArtifactTool.name} reads the whole, ${bytes} bytes, by the ref ${ref}]`;

/** Results of earlier sub-tasks come before the instruction, so that the model reads the instruction last. */
function prompt(kind: Kind, { messages, notes }: Thinking, given: string): ChatMessage[] {
  return [
    { role: 'system', text: kind.prompt.trim() },
    ...(notes ? [{ role: 'user' as const, text: notes }] : []),
    ...(given ? [{ role: 'user' as const, text: `Results of earlier sub-tasks:\n\n${given}` }] : []),
    ...messages,
  ];
}
