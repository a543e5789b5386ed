/** A conversation in the form of the OpenAI protocol, with native tool calls. */
import type { ChatCompletionContentPart, ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import type { ChatMessage, Echo, JsonFields } from './conversation.ts';
import type { Dialect } from './dialect.ts';
import { type AssistantTurn, type SentPicture, systemText, turnsOf } from './history.ts';

/** For whom the conversation is written. */
export interface Reader {
  readonly backend: string;
  readonly model: string;
  readonly thoughts: Dialect['thoughts'];
  readonly pictures: Dialect['pictures'];
}

export function nativeTranscript(messages: readonly ChatMessage[], reader: Reader): ChatCompletionMessageParam[] {
  const system = systemText(messages);
  const result: ChatCompletionMessageParam[] = system ? [{ role: 'system', content: system }] : [];
  for (const turn of turnsOf(messages, reader.pictures === 'parts')) {
    if (turn.role === 'user') addUser(result, turn.text, turn.pictures);
    else {
      const echo = echoFor(turn, reader);
      // Of the calls of another model there are no thoughts that this one could get.
      if (turn.calls.length > 0 && !echo && reader.thoughts === 'required') addInWords(result, turn, false);
      else addNative(result, turn, echo);
    }
  }
  return result;
}

function echoFor({ echo, calls }: AssistantTurn, { backend, model, thoughts }: Reader): Echo | undefined {
  if (thoughts === 'dropped' || echo?.backend !== backend || echo.model !== model) return undefined;
  return calls.length > 0 || thoughts === 'required' ? echo : undefined;
}

function addNative(to: ChatCompletionMessageParam[], { text, calls }: AssistantTurn, echo: Echo | undefined): void {
  const { thought_parts, ...fields }: JsonFields = echo?.message ?? {};
  const parts = Array.isArray(thought_parts) ? [...thought_parts, ...(text ? [{ type: 'text', text }] : [])] : null;
  const message = { role: 'assistant' as const, content: parts ?? (text || null), ...fields };
  if (calls.length === 0) {
    to.push(message);
    return;
  }
  const sent = calls.map(({ id, tool, args }, at) => {
    const { function: inFunction, ...more } = (echo?.calls[at] ?? {}) as { readonly id?: string; readonly function?: object };
    return { id, type: 'function' as const, function: { name: tool, arguments: JSON.stringify(args), ...inFunction }, ...more };
  });
  to.push({ ...message, tool_calls: sent });
  for (const [at, { result: content }] of calls.entries()) to.push({ role: 'tool', tool_call_id: sent[at]!.id, content });
  // Most servers take no pictures in the result of a tool.
  for (const { tool, pictures } of calls) if (pictures.length > 0) addUser(to, `Shown by ${tool}:`, pictures);
}

/** @param inForm whether the model replies in the form of text-tools.ts. */
export function addInWords(to: ChatCompletionMessageParam[], turn: AssistantTurn, inForm: boolean): void {
  to.push({ role: 'assistant', content: wordsOf(turn, inForm) });
  for (const call of turn.calls) addUser(to, `Result of ${call.tool}:\n${call.result}`, call.pictures);
}

function wordsOf({ text, calls, unfinished }: AssistantTurn, inForm: boolean): string {
  if (calls.length > 0) {
    const lines = calls.map(({ tool, args }) => JSON.stringify({ tool, args }));
    return [...(text && !inForm ? [text] : []), ...lines].join('\n');
  }
  return inForm && !unfinished ? JSON.stringify({ answer: text }) : text;
}

/** The system text as the beginning of the user's first words. The first turn is always the user's (history.ts). */
export function withoutSystem(messages: readonly ChatCompletionMessageParam[]): ChatCompletionMessageParam[] {
  const [first, second, ...rest] = messages;
  if (first?.role !== 'system' || second?.role !== 'user') return [...messages];
  if (typeof second.content === 'string') return [{ role: 'user', content: `${first.content}\n\n${second.content}` }, ...rest];
  return [{ role: 'user', content: [textPart(String(first.content)), ...second.content] }, ...rest];
}

/** Adds to the user's last message, or a new one: some chat templates require alternating roles. */
export function addUser(to: ChatCompletionMessageParam[], text: string, pictures: readonly SentPicture[] = []): void {
  const last = to.at(-1);
  if (last?.role !== 'user') to.push({ role: 'user', content: pictures.length > 0 ? partsOf(text, pictures) : text });
  else if (typeof last.content !== 'string') last.content.push(...partsOf(text, pictures));
  else if (pictures.length > 0) last.content = [textPart(last.content), ...partsOf(text, pictures)];
  else last.content = `${last.content}\n\n${text}`;
}

const textPart = (text: string): ChatCompletionContentPart => ({ type: 'text', text });
const partsOf = (text: string, pictures: readonly SentPicture[]): ChatCompletionContentPart[] => [
  textPart(text),
  ...pictures.flatMap(({ ref, data }) => [textPart(`Picture ${ref}:`), { type: 'image_url' as const, image_url: { url: data } }]),
];
