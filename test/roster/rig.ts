/** Shared by the roster’s tests: Backends on a roster in YAML, and a server that streams exactly the given chunks. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import type { Folders } from '../../platform/folders.ts';
import { Backends, type BackendsOptions } from '../../roster/backends.ts';
import type { ModelEvent, ModelReply } from '../../roster/conversation.ts';
import { ModelError } from '../../roster/errors.ts';
import { parseRoster } from '../../roster/load.ts';
import type { Roster } from '../../roster/schema.ts';

const nowhere: Folders = { cache: '/nonexistent/cache', state: '/nonexistent/state', config: '/nonexistent/config' };

export interface Rig {
  readonly backends: Backends;
  /** All log output. */
  readonly logged: () => string;
  setRoster(yaml: string): void;
}

/** Backends on a roster. Waits between tries are 1 ms unless the roster says otherwise. */
export function rig(yaml: string, more: Partial<Omit<BackendsOptions, 'roster' | 'log'>> = {}): Rig {
  let text = '';
  let roster: Roster = parse(yaml);
  const log = pino(
    { level: 'trace' },
    {
      write(line: string) {
        text += line;
      },
    },
  );
  const backends = new Backends({ roster: () => roster, folders: nowhere, log, onProgress: () => {}, env: {}, ...more });
  const setRoster = (next: string): void => {
    roster = parse(next);
  };
  return { backends, logged: () => text, setRoster };
}

const parse = (yaml: string): Roster =>
  parseRoster(/^limits:/m.test(yaml) ? yaml : `${yaml}\nlimits: { retry_first_ms: 1 }`, '/roster.yaml');

export const oneBackend = (url: string, more = ''): string =>
  `backends: { main: { base_url: "${url}/v1", model: scripted, tier: local${more && `, ${more}`} } }`;

export const user = (text: string) => ({ messages: [{ role: 'user' as const, text }] });
export const never = new AbortController().signal;

export async function replyOf(events: AsyncIterable<ModelEvent>): Promise<{ said: string[]; reply: ModelReply }> {
  const said: string[] = [];
  let reply: ModelReply | undefined;
  for await (const event of events) {
    if (event.type === 'said') said.push(event.text);
    else reply = event;
  }
  if (!reply) throw new Error('no reply');
  return { said, reply };
}

/** The ModelError that a call ends with. */
export async function failureOf(work: AsyncIterable<ModelEvent> | Promise<unknown>): Promise<ModelError> {
  try {
    await (Symbol.asyncIterator in work ? replyOf(work) : work);
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

export interface Received {
  readonly body: { readonly messages: readonly { role: string; content: unknown; tool_calls?: unknown }[] } & Record<
    string,
    unknown
  >;
  readonly headers: IncomingMessage['headers'];
  /** Resolves when the connection is gone: true if the reply was not complete. */
  readonly closed: Promise<boolean>;
}
export interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  /** The body for a status other than 200. */
  readonly json?: unknown;
  /** Chunks of the stream; a string, and bytes, are sent as they are. */
  readonly chunks?: readonly (object | string)[];
  /** Pause between chunks in ms. */
  readonly paceMs?: number;
  /** End after the chunks: by the protocol, an end of the stream alone, a cut connection, or none. */
  readonly ending?: 'done' | 'end' | 'cut' | 'hang';
}
export interface ScriptedServer {
  readonly url: string;
  readonly received: readonly Received[];
  stop(): Promise<void>;
}

/** Answers the nth request with the result of `script`. */
export async function scriptedServer(script: (nth: number, request: Received) => Reply): Promise<ScriptedServer> {
  const received: Received[] = [];
  const server: Server = createServer(async (request, response) => {
    let text = '';
    for await (const piece of request.setEncoding('utf8')) text += piece;
    const closed = new Promise<boolean>((resolve) => response.on('close', () => resolve(!response.writableFinished)));
    const entry: Received = { body: text ? JSON.parse(text) : {}, headers: request.headers, closed };
    received.push(entry);
    const { status = 200, headers = {}, json, chunks = [], paceMs = 0, ending = 'done' } = script(received.length - 1, entry);
    if (status !== 200)
      return void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(json));
    response.writeHead(200, { 'content-type': 'text/event-stream', ...headers });
    for (const chunk of chunks) {
      const isRaw = typeof chunk === 'string' || chunk instanceof Uint8Array;
      response.write(isRaw ? chunk : `data: ${JSON.stringify(chunk)}\n\n`);
      if (paceMs > 0) await delay(paceMs);
    }
    if (ending === 'done') response.end('data: [DONE]\n\n');
    else if (ending === 'end') response.end();
    else if (ending === 'cut') response.write(' ', () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A chunk of a stream in the protocol’s form. */
export const delta = (it: object, finish: string | null = null): object => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 0,
  model: 'scripted',
  choices: [{ index: 0, delta: it, finish_reason: finish }],
});
export const usageChunk = (input: number, output: number, more: object = {}): object => ({
  ...delta({}),
  choices: [],
  usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output, ...more },
});
