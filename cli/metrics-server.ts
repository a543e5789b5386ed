/**
 * `/metrics` over HTTP for Prometheus. Invariants:
 * - On loopback a request must name a loopback host, so that no page of the web reads the figures by DNS rebinding.
 * - On any other address each request needs the bearer token; without one the server does not start.
 * - A request takes no body and waits for nothing.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CoxError, codeOf } from '../platform/errors.ts';
import { usageError } from './errors.ts';

export interface MetricsPlace {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** Port of `--metrics` alone: one of those that Prometheus' own exporters leave free. */
const usualPort = 9464;

const loopbackHosts = new Set(['127.0.0.1', '::1', 'localhost']);
const isLoopback = (host: string): boolean => loopbackHosts.has(host) || /^127(\.\d{1,3}){3}$/.test(host);

/** @param text `host:port`, `port`, `[::1]:port`, or nothing. @throws CoxError `bad-option`. */
export function metricsPlace(text: string): MetricsPlace {
  if (text === '') return { host: '127.0.0.1', port: usualPort };
  const [, bracketed, plain, digits] = /^(?:(?:\[([\da-fA-F:.]+)\]|([^:[\]\s]+)):)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits !== undefined && port <= 65_535) return { host: bracketed ?? plain ?? '127.0.0.1', port };
  throw usageError(`--metrics ${text} is not an address.`, 'Give host:port or a port: --metrics 127.0.0.1:9464');
}

export interface MetricsServer {
  readonly url: string;
  /** Idempotent. */
  stop(): Promise<void>;
}

/**
 * @param token the bearer token that requests must carry; null: none is set.
 * @throws CoxError `metrics-open` for an address that others reach and no token, `metrics-port` if it cannot listen there.
 */
export async function serveMetrics(
  { host, port }: MetricsPlace,
  { text, type, token }: { readonly text: () => string; readonly type: string; readonly token: string | null },
): Promise<MetricsServer> {
  if (!isLoopback(host) && token === null)
    throw new CoxError('metrics-open', `Everybody who reaches ${host} could read the figures of this node`, {
      hint: 'Set a token in COX_METRICS_TOKEN, which Prometheus sends as bearer token; or use 127.0.0.1.',
    });
  const server = createServer((request, response) => {
    const answer = (status: number, body: string, head: Record<string, string> = {}) =>
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...head }).end(body);
    request.resume();
    if (isLoopback(host) && !namesLoopback(request)) return answer(403, 'this address is for programs of this machine\n');
    if (token !== null && !carries(request, token))
      return answer(401, 'a bearer token is needed\n', { 'www-authenticate': 'Bearer' });
    const [path] = (request.url ?? '').split('?');
    if (path !== '/metrics') return answer(404, 'the figures are at /metrics\n');
    if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, 'only GET\n', { allow: 'GET, HEAD' });
    return answer(200, request.method === 'HEAD' ? '' : text(), { 'content-type': type, 'cache-control': 'no-store' });
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 10_000;
  server.maxConnections = 64;
  await listening(server, { host, port });
  const { port: taken } = server.address() as AddressInfo;
  let stopping: Promise<void> | null = null;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}/metrics`,
    stop: () => {
      stopping ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return stopping;
    },
  };
}

function listening(server: Server, { host, port }: MetricsPlace): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new CoxError('metrics-port', `Cannot serve metrics on ${host}:${port} (${codeOf(cause)})`, {
          hint: 'Name another address: --metrics 127.0.0.1:0 takes any free port.',
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
}

function namesLoopback({ headers }: IncomingMessage): boolean {
  const named = /^(?:\[([\da-fA-F:]+)\]|([^:]+))(?::\d+)?$/.exec(headers.host ?? '');
  return named !== null && isLoopback((named[1] ?? named[2] ?? '').toLowerCase());
}

/** Compares hashes, so that the time of the comparison says nothing of the token. */
function carries({ headers }: IncomingMessage, token: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(headers.authorization ?? ''), hash(`Bearer ${token}`));
}
