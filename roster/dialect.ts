/**
 * The parts of the OpenAI protocol that a backend accepts. Compatible servers differ, and refuse unknown parts. Under `auto` a
 * backend starts with the full protocol. A refusal leads to a simpler one for the request that was refused; where it is certain
 * that the backend lacks the part, it becomes a lesson (lessons.ts).
 */
import type { Backend, OpenAiBackend } from './backend-schema.ts';
import type { ModelRequest } from './conversation.ts';
import type { Part, RefusedPart } from './refused-part.ts';

export interface Dialect {
  /** `text`: tools are described in the prompt (text-tools.ts). */
  readonly tools: 'native' | 'text';
  readonly structured: 'json_schema' | 'tools' | 'prompt';
  readonly outputField: 'max_tokens' | 'max_completion_tokens';
  readonly temperature: boolean;
  readonly streamOptions: boolean;
  /** False: the whole reply comes at once, and `silence_seconds` counts for all of it. */
  readonly stream: boolean;
  /** `user`: the system text stands at the beginning of the user's first words. */
  readonly system: 'own' | 'user';
  /**
   * `back`: its calls go back to it with its thoughts. `required`: so does all that it said, and the calls of other models are
   * told in words. `dropped`: it gets none.
   */
  readonly thoughts: 'back' | 'required' | 'dropped';
  /** `words`: pictures are only described. */
  readonly pictures: 'parts' | 'words';
}

export function firstDialect(backend: Backend): Dialect {
  const full: Dialect = {
    tools: 'native',
    structured: 'json_schema',
    outputField: 'max_tokens',
    temperature: true,
    streamOptions: true,
    stream: true,
    system: 'own',
    thoughts: 'back',
    pictures: backend.vision ? 'parts' : 'words',
  };
  if (backend.kind !== 'openai') return { ...full, pictures: 'words' };
  return {
    ...full,
    tools: backend.tools === false ? 'text' : 'native',
    structured: backend.structured === 'auto' ? 'json_schema' : backend.structured,
    // OpenAI's newer models refuse the old name; most other servers know only the old name.
    outputField: new URL(backend.baseUrl).hostname === 'api.openai.com' ? 'max_completion_tokens' : 'max_tokens',
  };
}

/** Whether the request has pictures that are to be sent. */
export const hasPictures = ({ messages }: Pick<ModelRequest, 'messages'>): boolean =>
  messages.some((message) => 'images' in message && message.images?.some(({ data }) => data !== undefined));

/** A part of the dialect that is replaced. */
export interface Change {
  readonly part: Exclude<Part, 'messages' | 'other'>;
  readonly to: Partial<Dialect>;
  /** Every later request needs it too. Otherwise the refusal may be about this request alone. */
  readonly isLasting: boolean;
}

/**
 * The change to try after a refusal, or null if there is none left.
 * @param tried the parts that were changed for this request already.
 * @param proven the parts that this backend has accepted before.
 */
export function simplerDialect(
  dialect: Dialect,
  backend: OpenAiBackend,
  request: Pick<ModelRequest, 'messages' | 'tools' | 'schema' | 'temperature'>,
  { part, isLacking }: RefusedPart,
  tried: ReadonlySet<Part>,
  proven: ReadonlySet<Part>,
): Change | null {
  const hasCalls = request.messages.some((message) => message.role === 'assistant' && message.calls?.length);
  const hasThoughts = request.messages.some((message) => message.role === 'assistant' && message.echo);
  const withoutThoughts = dialect.thoughts !== 'dropped' && hasThoughts ? { thoughts: 'dropped' as const } : null;
  const withThoughts = dialect.thoughts !== 'required' && (hasCalls || hasThoughts) ? { thoughts: 'required' as const } : null;
  const can: Readonly<Record<Change['part'], Partial<Dialect> | null>> = {
    tools: request.tools?.length && backend.tools === 'auto' && dialect.tools === 'native' ? { tools: 'text' as const } : null,
    structured:
      request.schema && backend.structured === 'auto' && dialect.structured !== 'prompt'
        ? { structured: 'prompt' as const }
        : null,
    temperature: dialect.temperature && request.temperature !== undefined ? { temperature: false } : null,
    streamOptions: dialect.streamOptions ? { streamOptions: false } : null,
    stream: dialect.stream ? { stream: false } : null,
    system:
      dialect.system === 'own' && request.messages.some(({ role }) => role === 'system') ? { system: 'user' as const } : null,
    outputField: { outputField: dialect.outputField === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens' },
    thoughts: isLacking || part === null ? withoutThoughts : withThoughts,
    pictures: dialect.pictures === 'parts' && hasPictures(request) ? { pictures: 'words' as const } : null,
  };
  const change = (it: Change['part'], isLasting: boolean): Change | null => {
    const to = tried.has(it) ? null : can[it];
    return to && { part: it, to, isLasting };
  };
  // In words, a history has neither calls nor results that a server could refuse. Nothing is learnt: the next one may be fine.
  const isAboutHistory = part === 'messages' || (part === 'pictures' && !can.pictures);
  if (isAboutHistory) return change('pictures', false) ?? (hasCalls ? change('tools', false) : null);
  if (part === 'thoughts') return change('thoughts', true) ?? (hasCalls ? change('tools', false) : null);
  if (part === 'other') return null;
  // A server that takes pictures refuses some of them.
  if (part === 'pictures') return change(part, isLacking && !proven.has(part));
  if (part !== null) return change(part, isLacking || (!proven.has(part) && !hasCalls));
  // The server told nothing: assume the parts that servers most often lack.
  const guess = (['pictures', 'structured', 'thoughts'] as const).find((it) => can[it] && !tried.has(it)) ?? 'tools';
  return change(guess, !proven.has(guess) && !hasCalls);
}
