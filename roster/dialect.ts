/**
 * The parts of the OpenAI protocol that a backend accepts. Compatible servers differ, and refuse unknown parts with status 400.
 * Under `auto` a backend starts with the full protocol and gets a simpler one after each refusal, until its roster entry changes.
 */
import type { Backend, OpenAiBackend } from './backend-schema.ts';
import type { ModelRequest } from './conversation.ts';

export interface Dialect {
  /** `text`: tools are described in the prompt (text-tools.ts). */
  readonly tools: 'native' | 'text';
  readonly structured: 'json_schema' | 'tools' | 'prompt';
  readonly outputField: 'max_tokens' | 'max_completion_tokens';
  readonly temperature: boolean;
  readonly streamOptions: boolean;
}

export function firstDialect(backend: Backend): Dialect {
  const full: Dialect = {
    tools: 'native',
    structured: 'json_schema',
    outputField: 'max_tokens',
    temperature: true,
    streamOptions: true,
  };
  if (backend.kind !== 'openai') return full;
  return {
    ...full,
    tools: backend.tools === false ? 'text' : 'native',
    structured: backend.structured === 'auto' ? 'json_schema' : backend.structured,
    // OpenAI's newer models refuse the old name; most other servers know only the old name.
    outputField: new URL(backend.baseUrl).hostname === 'api.openai.com' ? 'max_completion_tokens' : 'max_tokens',
  };
}

/**
 * The dialect to try after a refusal, or null if none is simpler.
 * @param param the parameter that the server refused; null if the server did not name one.
 */
export function simplerDialect(
  dialect: Dialect,
  backend: OpenAiBackend,
  request: Pick<ModelRequest, 'tools' | 'schema' | 'temperature'>,
  param: string | null,
): Dialect | null {
  if (param === 'temperature')
    return dialect.temperature && request.temperature !== undefined ? { ...dialect, temperature: false } : null;
  if (param === 'max_tokens' && dialect.outputField === 'max_tokens') return { ...dialect, outputField: 'max_completion_tokens' };
  if (param === 'max_completion_tokens' && dialect.outputField !== 'max_tokens') return { ...dialect, outputField: 'max_tokens' };
  if (param?.startsWith('stream_options')) return dialect.streamOptions ? { ...dialect, streamOptions: false } : null;
  // If the server named no parameter, assume the parts that servers most often lack.
  const mayBe = (...names: string[]): boolean => !param || names.some((name) => param.startsWith(name));
  if (request.schema && backend.structured === 'auto' && dialect.structured !== 'prompt' && mayBe('response_format'))
    return { ...dialect, structured: 'prompt' };
  if (
    request.tools?.length &&
    backend.tools === 'auto' &&
    dialect.tools === 'native' &&
    mayBe('tools', 'tool_choice', 'functions')
  )
    return { ...dialect, tools: 'text' };
  return null;
}
