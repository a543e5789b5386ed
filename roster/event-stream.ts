/**
 * The JSON values of a streamed reply, read from the response itself. The stream class of the `openai` package is not used: it ends
 * the whole reply at an empty `data:` line, at `[DONE] ` with a blank, or at any data that is not JSON; it hides comments, which
 * are signs of life; and it finds nothing in a body that is one JSON object or a web page. This reader takes the stream as servers
 * send it: any line ends, a byte order mark, no blank line between events, no stream at all but the whole reply or one JSON value
 * a line.
 */

import { createParser } from 'eventsource-parser';
import { beginningOf } from '../platform/cut.ts';

/** One JSON object of the reply and the name of its event, if it has one. `isBody`: it was not sent as an event. */
export interface WireValue {
  readonly value: Readonly<Record<string, unknown>>;
  readonly event: string | undefined;
  readonly isBody: boolean;
}
export interface WireEnd {
  /** The server said that this is the end: by `[DONE]`, or because the body is one JSON value. */
  readonly isMarked: boolean;
  /** Text that is neither an event nor JSON, for the message of an error. */
  readonly stray: string;
}

/** Something else than a reply: a web page of a login or of a proxy. */
export class NoReply extends Error {}
/** The reply is longer than any that makes sense: the backend may never stop. */
export class TooLong extends Error {}

/** Longest event, and longest reply that is one JSON value, in characters. A good one has a twentieth of it. */
const maxValueChars = 8_000_000;
const maxStrayChars = 300;

/**
 * @param onBytes is called whenever anything arrives.
 * @throws NoReply, TooLong; SyntaxError for an event that is broken JSON; the errors of the connection; the signal's reason.
 */
export async function* wireValues(
  response: Response,
  onBytes: () => void,
  signal: AbortSignal,
): AsyncGenerator<WireValue, WireEnd> {
  const texts = textsOf(response, onBytes, signal);
  try {
    let start = '';
    for (let next = await texts.next(); !next.done; next = await texts.next()) {
      // Some servers send blanks as signs of life.
      start = next.value.trimStart();
      if (start !== '') break;
    }
    const first = start[0];
    if (first === '{' || first === '[') return yield* bodyValues(start, texts);
    if (first === '<') throw new NoReply(`it answered with a web page${await titleOf(start, texts)}`);
    return yield* eventValues(start, texts);
  } finally {
    await texts.return(undefined);
  }
}

async function* eventValues(start: string, texts: AsyncIterable<string>): AsyncGenerator<WireValue, WireEnd> {
  const events: { data: string; event?: string | undefined }[] = [];
  let stray = '';
  let hasEvents = false;
  // The parser tells of no line that has no end.
  let beginning = beginningOf(start, maxStrayChars);
  const parser = createParser({
    maxBufferSize: maxValueChars,
    onEvent: (event) => void events.push(event),
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') throw new TooLong(`one event of its reply is longer than ${maxValueChars}`);
      // Errors come as a line of JSON without a field, and from llama.cpp as a field of their own.
      if (error.field === 'error') events.push({ data: error.value ?? '', event: 'error' });
      else if (/^\s*\{/.test(error.line ?? '')) events.push({ data: error.line! });
      else stray = beginningOf(`${stray} ${error.line ?? ''}`.trim(), maxStrayChars);
    },
  });
  const read = function* (isEnd: boolean): Generator<WireValue, boolean> {
    for (const { data, event } of events.splice(0)) {
      hasEvents = true;
      for (const part of jsonParts(data, isEnd)) {
        if (part === done) return true;
        if (typeof part === 'string' && event === 'error') yield { value: { error: part }, event, isBody: false };
        else if (typeof part === 'string') stray = beginningOf(`${stray} ${part}`.trim(), maxStrayChars);
        else yield { value: part, event, isBody: false };
      }
    }
    return false;
  };
  parser.feed(start);
  if (yield* read(false)) return { isMarked: true, stray };
  for await (const text of texts) {
    if (beginning.length < maxStrayChars) beginning = beginningOf(beginning + text, maxStrayChars);
    parser.feed(text);
    if (yield* read(false)) return { isMarked: true, stray };
  }
  // Some servers leave out the blank line behind the last event.
  parser.feed('\n\n');
  const isMarked = yield* read(true);
  return { isMarked, stray: stray || (hasEvents ? '' : beginning.trim()) };
}

const done = Symbol('[DONE]');
type Part = Readonly<Record<string, unknown>> | typeof done | string;

/**
 * What the data of one event says. Several values stand in it where a server forgets the blank line between events. Text that is no
 * JSON is given back as a string: a heartbeat, or the words of a proxy.
 * @param isEnd the connection has ended, so that broken JSON was cut off and is left out.
 * @throws SyntaxError
 */
function jsonParts(data: string, isEnd: boolean): Part[] {
  const text = data.trim();
  if (text === '') return [];
  if (text === '[DONE]') return [done];
  try {
    return objectsIn(parsedAsSent(text));
  } catch (error) {
    if (text.includes('\n')) return text.split('\n').flatMap((line) => jsonParts(line, isEnd));
    if (!/^[{[]/.test(text)) return [text];
    if (isEnd) return [];
    throw error;
  }
}

/** Python writes numbers that are none into its JSON. They are read as null. @throws SyntaxError */
function parsedAsSent(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!/\bNaN\b|\bInfinity\b/.test(text)) throw error;
    return JSON.parse(text.replaceAll(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (it) => (it.startsWith('"') ? it : 'null')));
  }
}

const objectsIn = (value: unknown): Readonly<Record<string, unknown>>[] =>
  (Array.isArray(value) ? value : [value]).filter((it) => typeof it === 'object' && it !== null && !Array.isArray(it));

/** A body that is JSON: the whole reply, an error, or one value a line. */
async function* bodyValues(start: string, texts: AsyncIterable<string>): AsyncGenerator<WireValue, WireEnd> {
  let body = start;
  for await (const text of texts) {
    body += text;
    if (body.length > maxValueChars) throw new TooLong(`its reply is longer than ${maxValueChars} characters`);
  }
  let values: Readonly<Record<string, unknown>>[];
  try {
    values = objectsIn(parsedAsSent(body));
  } catch {
    const parts = body.split('\n').flatMap((line) => jsonParts(line.replace(/^data:/, ''), true));
    for (const part of parts) if (typeof part === 'object') yield { value: part, event: undefined, isBody: false };
    return { isMarked: parts.includes(done), stray: '' };
  }
  for (const value of values) yield { value, event: undefined, isBody: true };
  // One chunk alone may be the first line of several.
  return { isMarked: !(values.length === 1 && hasDelta(values[0]!)), stray: '' };
}

const hasDelta = ({ choices }: Readonly<Record<string, unknown>>): boolean =>
  Array.isArray(choices) && choices.some((choice) => typeof choice === 'object' && choice !== null && 'delta' in choice);

async function titleOf(start: string, texts: AsyncIterable<string>): Promise<string> {
  let page = start;
  for await (const text of texts) {
    page += text;
    if (page.length > 100_000) break;
  }
  return titleIn(page);
}

/** The title of a web page as the end of a sentence; an empty text if it has none. */
export function titleIn(page: string): string {
  const title = /<title[^>]{0,200}>([^<]{1,200})/i.exec(page)?.[1] ?? /<h1[^>]{0,200}>([^<]{1,200})/i.exec(page)?.[1];
  return title ? `: “${title.trim().replace(/\s+/g, ' ')}”` : '';
}

/** The body as text. It does not matter where a character was torn; a byte order mark is left out. */
async function* textsOf(response: Response, onBytes: () => void, signal: AbortSignal): AsyncGenerator<string> {
  const reader = response.body?.getReader();
  if (!reader) return;
  const cancel = (): void => void reader.cancel().catch(() => {});
  signal.addEventListener('abort', cancel, { once: true });
  const decoder = new TextDecoder();
  try {
    for (;;) {
      signal.throwIfAborted();
      const { value, done: isEnd } = await reader.read();
      signal.throwIfAborted();
      if (isEnd) break;
      onBytes();
      yield decoder.decode(value, { stream: true });
    }
    yield decoder.decode();
  } finally {
    signal.removeEventListener('abort', cancel);
    // If the reader stopped early, this ends the connection.
    cancel();
  }
}
