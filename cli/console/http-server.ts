/**
 * The server of a console: it listens on 127.0.0.1 alone, serves the page, exchanges the one-time link for a session, gives the
 * page its access to the bus, and relays orders of an unlocked session. Invariants:
 * A. Every request passes guard.ts first, and all but those for a file of the page need a session.
 * B. No order is relayed for a session that is locked.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CoxError, codeOf, messageOf } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { checkRequest, safeHeaders } from './guard.ts';
import type { Accesses } from './page-access.ts';
import type { PageFile } from './page-files.ts';
import { isWriting } from './roster-edits.ts';
import { type Session, type Sessions, sessionMs, unlockMs } from './sessions.ts';
import type { OrderReply, RosterEditReply, SayReply, SessionReply } from './wire.ts';

export interface ConsoleServerOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly files: ReadonlyMap<string, PageFile>;
  readonly sessions: Sessions;
  readonly accesses: Accesses;
  readonly about: Pick<SessionReply, 'version' | 'namespace' | 'server' | 'embedded'>;
  readonly relay: (order: unknown) => Promise<OrderReply>;
  /** Shows or writes an edit of the roster file of this process. */
  readonly roster: (edit: unknown) => Promise<RosterEditReply>;
  /** Says a line to a primary agent. */
  readonly say: (text: unknown) => Promise<SayReply>;
  /** Called when the link was used, or can be used no more. */
  readonly onLink: (fate: 'opened' | 'void') => void;
  readonly log: Log;
}

export interface ConsoleServer {
  readonly port: number;
  readonly url: string;
  stop(): Promise<void>;
}

const mostBodyBytes = 1024 * 1024;

/** @throws CoxError `port-taken`. */
export async function startConsoleServer(options: ConsoleServerOptions): Promise<ConsoleServer> {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000, maxHeaderSize: 16_384 });
  const port = await listenOn(server, options.port);
  server.on('request', (request, response) => void answer(request, response, options, port));
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listenOn(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const why = codeOf(cause) === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used: ${messageOf(cause)}`;
      reject(
        new CoxError('port-taken', `The port ${port} of 127.0.0.1 ${why}`, {
          hint: 'Name another one with --port, or leave --port out for any free port.',
          cause,
        }),
      );
    });
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

type Reply = { readonly status: number; readonly body?: object | PageFile; readonly headers?: Record<string, string> };

async function answer(request: IncomingMessage, response: ServerResponse, options: ConsoleServerOptions, port: number) {
  let reply: Reply;
  try {
    checkRequest(request, port);
    reply = await route(request, options, port);
  } catch (cause) {
    reply = refusal(cause, options.log);
  }
  const { status, body, headers = {} } = reply;
  const file = body && 'type' in body && Buffer.isBuffer((body as PageFile).body) ? (body as PageFile) : null;
  const bytes = file ? file.body : Buffer.from(body ? JSON.stringify(body) : '');
  response.writeHead(status, {
    ...safeHeaders(options.accesses.url()),
    ...(body && { 'Content-Type': file ? file.type : 'application/json' }),
    'Content-Length': String(bytes.length),
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

const statusOf: Readonly<Record<string, number>> = {
  'console-host': 421,
  'console-origin': 403,
  'console-login': 401,
  'console-locked': 423,
  'console-path': 404,
  'console-too-long': 413,
  'role-denied': 403,
  internal: 500,
};

function refusal(cause: unknown, log: Log): Reply {
  const { code, message, hint } =
    cause instanceof CoxError ? cause : { code: 'internal', message: messageOf(cause), hint: 'The log of cox says more.' };
  log.warn({ code, err: cause }, 'the console refused a request');
  return { status: statusOf[code] ?? 400, body: { code, message, hint } };
}

async function route(request: IncomingMessage, options: ConsoleServerOptions, port: number): Promise<Reply> {
  const { files, sessions, accesses, about, relay, onLink } = options;
  const { pathname } = new URL(request.url ?? '/', 'http://console');
  const file = request.method === 'GET' || request.method === 'HEAD' ? files.get(pathname) : undefined;
  if (file) return { status: 200, body: file };
  const asked = `${request.method} ${pathname}`;
  if (asked === 'POST /session') {
    const { token } = await bodyOf<{ token?: unknown }>(request);
    const opened = sessions.open(typeof token === 'string' ? token : '');
    if (opened.kind === 'opened') {
      onLink('opened');
      const cookie = `${cookieName(port)}=${opened.secret}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${sessionMs / 1_000}`;
      return { status: 204, headers: { 'Set-Cookie': cookie } };
    }
    if (opened.kind === 'void') onLink('void');
    throw new CoxError('console-login', linkRefusals[opened.kind], { hint: 'Start a console again: cox console.' });
  }
  const session = sessionOf(request, sessions, port);
  const state = (): SessionReply => ({
    ...about,
    unlockMs,
    unlockedUntil: sessions.mayWrite(session) ? new Date(session.unlockedUntil).toISOString() : null,
  });
  const mustBeOpen = () => {
    if (!sessions.mayWrite(session))
      throw new CoxError('console-locked', 'This console only reads until it is unlocked', {
        hint: 'Unlock it with the button on the page, then send it again; nothing was sent.',
      });
  };
  switch (asked) {
    case 'GET /session':
      return { status: 200, body: state() };
    case 'POST /unlock':
      sessions.unlock(session);
      return { status: 200, body: state() };
    case 'POST /lock':
      sessions.lock(session);
      return { status: 200, body: state() };
    case 'POST /access': {
      const { instead } = await bodyOf<{ instead?: unknown }>(request);
      return { status: 200, body: await accesses.next(typeof instead === 'string' ? instead : null) };
    }
    case 'POST /sign': {
      const { nonce } = await bodyOf<{ nonce?: unknown }>(request);
      return { status: 200, body: accesses.sign(typeof nonce === 'string' ? nonce : '') };
    }
    case 'POST /order': {
      const order = await bodyOf(request);
      mustBeOpen();
      return { status: 200, body: await relay(order) };
    }
    case 'POST /roster': {
      const edit = await bodyOf(request);
      if (isWriting(edit)) mustBeOpen();
      return { status: 200, body: await options.roster(edit) };
    }
    case 'POST /say': {
      const { text } = await bodyOf<{ text?: unknown }>(request);
      mustBeOpen();
      return { status: 200, body: await options.say(text) };
    }
    default:
      throw new CoxError('console-path', 'There is nothing at this address', { hint: 'Open the first page of the console.' });
  }
}

const linkRefusals = {
  used: 'This link was used before, and opens a console only once',
  wrong: 'This link does not belong to this console',
  void: 'Ten wrong links were tried, so this console lets nobody in any more',
};

/** Cookies do not tell ports apart, and several consoles may run. */
const cookieName = (port: number): string => `cox-console-${port}`;

function sessionOf({ headers }: IncomingMessage, sessions: Sessions, port: number): Session {
  const cookies = (headers.cookie ?? '').split(/;\s*/).map((pair) => pair.split('='));
  const secret = cookies.find(([name]) => name === cookieName(port))?.[1];
  const session = secret === undefined ? null : sessions.find(secret);
  if (session) return session;
  throw new CoxError('console-login', 'This browser has no session at this console, or its session has ended', {
    hint: 'Open the link that the console has printed, or start one again: cox console.',
  });
}

async function bodyOf<T>(request: IncomingMessage): Promise<T> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > mostBodyBytes)
      throw new CoxError('console-too-long', 'The request is longer than 1 MiB', { hint: 'Send less at once.' });
    parts.push(part);
  }
  const isJson = /^application\/json\b/.test(request.headers['content-type'] ?? '');
  try {
    const body = isJson ? JSON.parse(Buffer.concat(parts).toString('utf8')) : null;
    if (typeof body === 'object' && body !== null) return body as T;
  } catch {}
  throw new CoxError('bad-request', 'The request has no JSON object', { hint: 'Load the page of the console again.' });
}
