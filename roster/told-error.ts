/**
 * An error that a server tells although its status is 200: as an event of the stream, as a field of a chunk, or as the whole body.
 * It has the fields of the errors of `openai`, so that wire-error.ts maps both alike.
 */
import { beginningOf } from '../platform/cut.ts';
import { messageOf } from '../platform/errors.ts';
import { titleIn, type WireValue } from './event-stream.ts';
import { isFields } from './wire-piece.ts';

export class ToldError extends Error {
  /** The status that the error should have had; undefined if it came in the middle of a reply or names none. */
  readonly status: number | undefined;
  readonly headers: Headers;
  readonly error: unknown;
  readonly code: string | undefined;
  readonly type: string | undefined;
  readonly param: string | undefined;

  constructor(told: unknown, headers: Headers, isMidReply: boolean) {
    const fields = isFields(told) ? told : {};
    super(wordsOf(told));
    this.headers = headers;
    this.error = told;
    this.code = wordOf(fields.code);
    this.type = wordOf(fields.type) ?? wordOf(fields.status);
    this.param = wordOf(fields.param);
    this.status = isMidReply ? undefined : statusOf(fields, `${this.code} ${this.type}`);
  }
}

/** The error in a value of the reply; undefined if it is none. */
export function errorIn({ value, event, isBody }: WireValue): unknown {
  if (saysSomething(value.error)) return value.error;
  if (event === 'error' || value.object === 'error' || value.type === 'error') return value;
  const choice: unknown = Array.isArray(value.choices) ? value.choices[0] : undefined;
  if (isFields(choice) && saysSomething(choice.error)) return choice.error;
  const { base_resp } = value;
  if (isFields(base_resp) && Number(base_resp.status_code ?? 0) !== 0)
    return { message: base_resp.status_msg, code: base_resp.status_code };
  // A body that is no reply is an error, whatever it is called.
  return isBody && !(Array.isArray(value.choices) && value.choices.length > 0) ? value : undefined;
}

const saysSomething = (error: unknown): boolean =>
  typeof error === 'string' ? error.trim() !== '' : isFields(error) ? Object.keys(error).length > 0 : error === true;

const wordOf = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;

function wordsOf(told: unknown): string {
  if (typeof told === 'string') return told;
  if (isFields(told))
    for (const words of [told.message, told.msg, told.detail, told.title, told.error_description])
      if (typeof words === 'string' && words.trim()) return words;
  return beginningOf(JSON.stringify(told), 500);
}

/**
 * The message of an error, and what a proxy says that the server behind it has answered (OpenRouter: `metadata.raw`). Of a web
 * page it is the title.
 */
export function wordsOfError(error: unknown): string {
  const said = messageOf(error);
  const page = said.search(/<(?:!doctype html|html)[\s>]/i);
  const words = page < 0 ? said : `${said.slice(0, page)}it answered with a web page${titleIn(said.slice(page))}`;
  const told: unknown = isFields(error) || error instanceof Error ? (error as { error?: unknown }).error : undefined;
  const raw: unknown = isFields(told) && isFields(told.metadata) ? told.metadata.raw : undefined;
  return typeof raw === 'string' && raw.trim() ? `${words}: ${innerWords(raw)}` : words;
}

function innerWords(raw: string): string {
  try {
    const parsed: unknown = JSON.parse(raw);
    return isFields(parsed) ? wordsOf(parsed.error ?? parsed) : raw;
  } catch {
    return raw;
  }
}

const statusWords: readonly (readonly [RegExp, number])[] = [
  [/rate.?limit|too.?many|throttl|resource_exhausted/i, 429],
  [/overload|unavailable|capacity/i, 503],
  [/authentic|unauthor|invalid_api_key|permission|forbidden/i, 401],
  [/model_not_found|not_?found/i, 404],
  [/invalid_request|bad_request|invalid_argument/i, 400],
  [/server_error|internal/i, 500],
];

function statusOf(fields: Readonly<Record<string, unknown>>, words: string): number | undefined {
  for (const given of [fields.code, fields.status, fields.status_code, fields.statusCode]) {
    const status = Number(given);
    if (Number.isInteger(status) && status >= 400 && status < 600) return status;
  }
  return statusWords.find(([word]) => word.test(words))?.[1];
}
