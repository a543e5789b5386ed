/**
 * Tools for a model without function calling: they are described in the prompt, the model replies with one JSON object, either
 * `{"tool": …, "args": {…}}` or `{"answer": "…"}`, and the history is written the same way.
 */
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import type { ModelRequest, ToolSpec } from './conversation.ts';
import type { Dialect } from './dialect.ts';
import { systemText, turnsOf } from './history.ts';
import { jsonIn } from './json-in-text.ts';
import { looksLikeForm } from './live-answer.ts';
import { printedCalls } from './printed-calls.ts';
import { hasStrayCall } from './stray-call.ts';
import { withoutThoughts } from './thoughts.ts';
import { addInWords, addUser } from './transcript.ts';

export interface TextReply {
  readonly text: string;
  readonly calls: readonly { readonly tool: string; readonly args: unknown }[];
}

/** The message to a model whose reply could not be read. */
export const formReminder =
  'That was not one JSON object of the form {"tool": "<name>", "args": {…}} or {"answer": "<text>"}. Reply again, with nothing but that object.';

export function textTranscript(
  { messages, tools = [], toolChoice = 'auto' }: ModelRequest,
  pictures: Dialect['pictures'],
): ChatCompletionMessageParam[] {
  const offered = toolChoice === 'none' ? [] : tools;
  const system = [systemText(messages), offered.length > 0 ? toolPrompt(offered, toolChoice === 'required') : '']
    .filter(Boolean)
    .join('\n\n');
  const result: ChatCompletionMessageParam[] = system ? [{ role: 'system', content: system }] : [];
  for (const turn of turnsOf(messages, pictures === 'parts')) {
    if (turn.role === 'user') addUser(result, turn.text, turn.pictures);
    else addInWords(result, turn, offered.length > 0);
  }
  return result;
}

function toolPrompt(tools: readonly ToolSpec[], isRequired: boolean): string {
  const list = tools.map(
    ({ name, description, parameters }) => `- ${name}: ${description}\n  args: ${JSON.stringify(parameters)}`,
  );
  const call = 'to use a tool: {"tool": "<name>", "args": {…}}';
  const form = isRequired ? call : `${call}\nwhen you know the answer: {"answer": "<text>"}`;
  return `Tools:\n${list.join('\n')}\n\nReply with one JSON object and nothing else,\n${form}\nThe result of a tool comes in the next message.`;
}

/** The content of a reply; null for broken JSON. Text that does not look like JSON at all is the answer. */
export function readTextReply(raw: string, tools: readonly ToolSpec[]): TextReply | null {
  const text = withoutThoughts(raw).trim();
  const printed = printedCalls(text, tools);
  if (printed) return { text: '', calls: printed };
  const found = jsonIn(text);
  const entries = (Array.isArray(found) ? found : [found]).filter(
    (it): it is Record<string, unknown> => typeof it === 'object' && it !== null,
  );
  const calls = entries.flatMap((it) => (typeof it.tool === 'string' ? [{ tool: it.tool, args: it.args ?? {} }] : []));
  if (calls.length > 0) return { text: '', calls };
  const answer = entries[0]?.answer;
  if (answer !== undefined) return { text: typeof answer === 'string' ? answer : JSON.stringify(answer), calls: [] };
  const isForm =
    looksLikeForm(text) ||
    hasStrayCall(text, tools) ||
    (found !== undefined && tools.some((tool) => text.includes(`"${tool.name}"`)));
  return isForm ? null : { text, calls: [] };
}
