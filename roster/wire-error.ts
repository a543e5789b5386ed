/**
 * Maps a failed request to an error code, by its HTTP status and the server's code. Servers other than OpenAI's give few codes,
 * so `context-too-long` is also recognised by the wording of the message.
 */
import type { APIError } from 'openai';
import { fitted } from '../platform/cut.ts';
import { codeOf, messageOf } from '../platform/errors.ts';
import { ModelError, type ModelErrorCode } from './errors.ts';
import { NoReply, TooLong } from './event-stream.ts';
import { BrokenOff, Silence } from './reply-stream.ts';
import { wordsOfError } from './told-error.ts';
import { toldWait } from './told-wait.ts';

export interface WireContext {
  readonly backend: string;
  readonly isEmbedded: boolean;
  /** The address of the server, for messages. */
  readonly baseUrl: string;
  /** Removed from messages, because some servers repeat the key that they received. */
  readonly key: string | null;
}

const longest = 500;

export function wireError(error: unknown, { backend, isEmbedded, baseUrl, key }: WireContext): ModelError {
  if (error instanceof ModelError) return error;
  const clean = (text: string): string => fitted(key ? text.replaceAll(key, '…') : text, longest);
  const fail = (code: ModelErrorCode, message: string, more: { retryAfterMs?: number | undefined } = {}): ModelError =>
    new ModelError(code, backend, clean(message), { ...more, cause: new Error(clean(messageOf(error))) });

  if (error instanceof Silence) return fail('timeout', error.message);
  if (error instanceof NoReply) return fail('unreachable', `${baseUrl} is no chat server: ${error.message}`);
  if (error instanceof TooLong) return fail('bad-reply', error.message);
  if (error instanceof SyntaxError) return fail('bad-reply', `its stream does not follow the protocol: ${error.message}`);
  const isCut = error instanceof BrokenOff || !isApiError(error);
  if (isCut)
    return isEmbedded
      ? fail('backend-crashed', 'the embedded model ended in the middle of the call')
      : fail('interrupted', `the connection broke off: ${messageOf(error)}`);
  if (error.status === undefined) {
    if ('error' in error && error.error)
      return fail(byCode(error) ?? 'interrupted', `it reported an error in its stream: ${wordsOfError(error)}`);
    const cause = rootCause(error);
    if (/TIMEOUT/.test(codeOf(cause)) && !/CONNECT/.test(codeOf(cause))) return fail('timeout', 'it did not answer in time');
    if (isEmbedded) return fail('backend-crashed', 'the embedded model does not answer');
    return fail('unreachable', `${baseUrl} does not answer (${codeOf(cause) || messageOf(cause)})`);
  }
  if (error.status >= 300 && error.status < 400)
    return fail(
      'unreachable',
      `${baseUrl} redirects to ${error.headers?.get('location') ?? 'another address'}; a redirect is not followed`,
    );
  const retryAfterMs = toldWait(error.headers, `${error.message} ${JSON.stringify(error.error) ?? ''}`);
  return fail(byCode(error) ?? byStatus(error.status), `it refused the call: ${wordsOfError(error)}`, { retryAfterMs });
}

/**
 * True if the request never reached a model: there was no connection, or the server refused it with a status that says so. After
 * any other failure (a gateway's timeout, a broken stream, a timeout of ours) the request may be billed.
 */
export function isUnbilled(error: unknown): boolean {
  if (!isApiError(error)) return false;
  if (error.status !== undefined) return turnedAway.has(error.status);
  const cause = rootCause(error);
  // A port that no client may use has no code.
  return notConnected.has(codeOf(cause)) || notTrusted.test(codeOf(cause)) || messageOf(cause) === 'bad port';
}
const turnedAway: ReadonlySet<number> = new Set([400, 401, 402, 403, 404, 405, 413, 415, 422, 425, 429, 503, 529]);
const notConnected: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** No TLS connection came about: the certificate was refused, or the server does not speak TLS or no common version. */
const notTrusted =
  /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|ERR_TLS_CERT|ERR_SSL_(WRONG_VERSION|UNSUPPORTED|NO_|PACKET_LENGTH|UNKNOWN_PROTOCOL|TLSV1_|SSLV3_ALERT_HANDSHAKE))/;

const isApiError = (error: unknown): error is APIError => error instanceof Error && 'status' in error && 'headers' in error;

const tooLong =
  /context[ _](length|window|size)|(prompt|input) is too long|(input|prompt)[ _](tokens?[ _])?(count|length).{0,200}?exceed|reduce the length of|maximum context|too many (input )?tokens/i;

function byCode(error: APIError): ModelErrorCode | null {
  const { code, type, status } = error;
  const message = wordsOfError(error);
  const words = `${code ?? ''} ${type ?? ''}`;
  if (/context_length_exceeded|exceed_context_size|context_window_exceeded/.test(words)) return 'context-too-long';
  if (/insufficient_quota|billing/.test(words)) return 'quota';
  if (/content_filter|content_policy/.test(words)) return 'refused';
  // LiteLLM says so of a key or a model that it does not have.
  if (/no_db_connection/.test(words)) return 'bad-key';
  if (status === 400 && /invalid model name/i.test(message)) return 'unknown-model';
  // FastAPI names the place in the body that it does not take; llama-cpp-python does so with 500.
  if (/['"]loc['"]: ?[([]['"]body['"]/.test(message)) return 'bad-request';
  // vLLM, LiteLLM, Anthropic and Google have no code for this error.
  if (status === 400 && tooLong.test(message)) return 'context-too-long';
  return null;
}

function byStatus(status: number): ModelErrorCode {
  if (status === 401 || status === 403) return 'bad-key';
  if (status === 402) return 'quota';
  if (status === 404) return 'unknown-model';
  if (status === 408) return 'timeout';
  if (status === 413) return 'context-too-long';
  if (status === 429) return 'rate-limited';
  return status >= 500 || status === 409 || status === 425 ? 'overloaded' : 'bad-request';
}

function rootCause(error: Error): unknown {
  let cause: unknown = error;
  while (cause instanceof Error && cause.cause !== undefined) cause = cause.cause;
  // Node tries both address families and collects their errors in an AggregateError.
  return cause instanceof AggregateError && cause.errors[0] ? cause.errors[0] : cause;
}
