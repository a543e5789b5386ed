/** One chat request: its prompt, the grammar for the model's text, and the conversion of that text into a reply. */
import type { Token } from 'node-llama-cpp';
import { chatHistory } from './chat-history.ts';
import { type ChatRequest, Refused, type Tool } from './chat-request.ts';
import type { Engine, Sampling, Usage } from './engine.ts';
import { Grammar } from './grammar.ts';
import { ReplyReader } from './reply-reader.ts';
import { StopWords } from './stop-words.ts';
import { type ToolForm, toolForm } from './tool-form.ts';

export interface Completion {
  readonly id: string;
  /** Unix time in seconds, as the protocol requires. */
  readonly created: number;
  readonly model: string;
}

export type FinishReason = 'stop' | 'length' | 'tool_calls';

/** Receives a reply and sends it as a stream or as one body. */
export interface Reply {
  text(text: string): void;
  call(tool: string): void;
  args(text: string): void;
  finish(reason: FinishReason, usage: Usage): void;
}

export interface Plan {
  readonly prompt: readonly Token[];
  readonly grammar: string | null;
  readonly sampling: Omit<Sampling, 'isProse'>;
  /** True if a reply without a call is a text and not JSON. */
  readonly prose: boolean;
  readonly stop: readonly string[];
  /** How to read the model's text: unchanged, or in one of the forms of tool-form.ts. */
  readonly reading: 'plain' | 'form' | 'form-with-json-answer';
}

/** @throws SchemaUnsupported, Refused. */
export function planOf(request: ChatRequest, engine: Engine): Plan {
  const schema = schemaOf(request.response_format);
  const tools = request.tools ?? [];
  const form = tools.length > 0 ? formOf(tools, request.tool_choice ?? 'auto', schema) : null;
  return {
    prompt: engine.prompt(chatHistory(request.messages, form)),
    grammar: form ? form.grammar : schema ? valueGrammar(schema) : null,
    sampling: {
      maxTokens: request.max_completion_tokens ?? request.max_tokens ?? undefined,
      // Small models work best when each token is the most likely one.
      temperature: request.temperature ?? 0,
      topP: request.top_p ?? undefined,
      seed: request.seed ?? undefined,
    },
    prose: !schema,
    stop: typeof request.stop === 'string' ? [request.stop] : (request.stop ?? []),
    reading: form ? (schema ? 'form-with-json-answer' : 'form') : 'plain',
  };
}

/** Runs the plan. The caller must hold the slot. @throws the signal's reason, PromptTooLong. */
export async function complete(engine: Engine, plan: Plan, signal: AbortSignal, reply: Reply): Promise<void> {
  const reader = plan.reading === 'plain' ? null : new ReplyReader(plan.reading === 'form-with-json-answer');
  const stop = new StopWords(plan.stop);
  let called = false;
  const sampling = { ...plan.sampling, isProse: () => plan.prose && !called };
  const say = (text: string): boolean => {
    const { out, stopped } = stop.push(text);
    if (out) reply.text(out);
    return !stopped;
  };
  const hear = (parts: ReturnType<ReplyReader['push']>): boolean => {
    for (const part of parts) {
      if (part.type === 'text' && !say(part.text)) return false;
      if (part.type === 'args') reply.args(part.text);
      if (part.type === 'call') {
        called = true;
        reply.call(part.tool);
      }
    }
    return true;
  };
  const { ending, usage } = await engine.complete(plan.prompt, plan.grammar, sampling, signal, (text) =>
    reader ? hear(reader.push(text)) : say(text),
  );
  if (reader) hear(reader.end(ending === 'stop'));
  const rest = stop.end();
  if (rest) reply.text(rest);
  reply.finish(ending === 'length' ? 'length' : called ? 'tool_calls' : 'stop', usage);
}

function schemaOf(format: ChatRequest['response_format']): object | undefined {
  if (format?.type === 'json_schema') return format.json_schema.schema;
  return format?.type === 'json_object' ? { type: 'object' } : undefined;
}

function valueGrammar(schema: object): string {
  const grammar = new Grammar();
  return grammar.finish(grammar.add(schema));
}

function formOf(tools: readonly Tool[], choice: NonNullable<ChatRequest['tool_choice']>, schema: object | undefined): ToolForm {
  if (typeof choice === 'object') {
    const isList = choice.type === 'allowed_tools';
    const names = isList ? choice.allowed_tools.tools.map((tool) => tool.function.name) : [choice.function.name];
    const unknown = names.find((name) => !tools.some((tool) => tool.function.name === name));
    if (unknown !== undefined) throw new Refused('unknown_tool', `tool_choice names ${unknown}, which is not among the tools`);
    const mayAnswer = isList && (choice.allowed_tools.mode === 'auto' || names.length === 0);
    return toolForm(tools, { tools: tools.filter((tool) => names.includes(tool.function.name)), answer: mayAnswer }, schema);
  }
  if (choice === 'none') return toolForm(tools, { tools: [], answer: true }, schema);
  return toolForm(tools, { tools, answer: choice === 'auto' }, schema);
}
