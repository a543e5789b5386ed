import type { ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions';
import type { ModelRequest } from './conversation.ts';
import type { Dialect } from './dialect.ts';
import { textTranscript } from './text-tools.ts';
import { addUser, nativeTranscript, withoutSystem } from './transcript.ts';

export interface BodyOptions {
  /** Its name in the roster. */
  readonly backend: string;
  readonly model: string;
  readonly dialect: Dialect;
  /** Tokens; null: the backend's own limit. */
  readonly maxOutput: number | null;
}

/** The request in the backend's dialect. */
export function requestBody(
  request: ModelRequest,
  { backend, model, dialect, maxOutput }: BodyOptions,
): ChatCompletionCreateParamsStreaming {
  const { tools = [], toolChoice = 'auto', schema, temperature } = request;
  // Some servers refuse a history with calls where no tools are offered; there, calls and results are told in words.
  const isText = dialect.tools === 'text' || tools.length === 0;
  const told = isText
    ? textTranscript(request, dialect.pictures)
    : nativeTranscript(request.messages, { backend, model, thoughts: dialect.thoughts, pictures: dialect.pictures });
  const messages = dialect.system === 'user' ? withoutSystem(told) : told;
  const body: ChatCompletionCreateParamsStreaming = { model, messages, stream: true };
  if (!dialect.stream) Object.assign(body, { stream: false });
  else if (dialect.streamOptions) body.stream_options = { include_usage: true };
  const most = Math.min(request.maxOutputTokens ?? Number.POSITIVE_INFINITY, maxOutput ?? Number.POSITIVE_INFINITY);
  if (Number.isFinite(most)) body[dialect.outputField] = most;
  if (temperature !== undefined && dialect.temperature) body.temperature = temperature;
  if (schema) {
    const { name, json } = schema;
    if (dialect.structured === 'json_schema')
      body.response_format = { type: 'json_schema', json_schema: { name, schema: { ...json }, strict: isStrict(json) } };
    else if (dialect.structured === 'tools') {
      body.tools = [{ type: 'function', function: { name, description: 'Gives the answer.', parameters: { ...json } } }];
      body.tool_choice = { type: 'function', function: { name } };
    } else
      addUser(messages, `Reply with one JSON object and nothing else. It must fit this JSON schema:\n${JSON.stringify(json)}`);
  } else if (tools.length > 0 && !isText) {
    body.tools = tools.map(({ name, description, parameters }) => ({
      type: 'function',
      function: { name, description, parameters: { ...parameters } },
    }));
    if (typeof toolChoice === 'object') body.tool_choice = allowedTools(toolChoice);
    else if (toolChoice !== 'auto') body.tool_choice = toolChoice;
  }
  return body;
}

const allowedTools = ({ mode, only }: { readonly mode: 'auto' | 'required'; readonly only: readonly string[] }) => ({
  type: 'allowed_tools' as const,
  allowed_tools: { mode, tools: only.map((name) => ({ type: 'function', function: { name } })) },
});

/** Whether OpenAI's strict mode accepts the schema: at every level, all properties are required and no others are allowed. */
function isStrict(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(isStrict);
  if (typeof schema !== 'object' || schema === null) return true;
  const { type, properties, required, additionalProperties } = schema as Record<string, unknown>;
  if (type === 'object') {
    const keys = Object.keys(properties ?? {});
    if (additionalProperties !== false || !Array.isArray(required) || keys.some((key) => !required.includes(key))) return false;
  }
  return Object.values(schema).every(isStrict);
}
