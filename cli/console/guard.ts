/**
 * The rules for every request to a console. Another site that a browser shows can send requests to
 * loopback, and can have its own name point there (DNS rebinding); a Host or an Origin that is not the console's gives both away.
 */
import type { IncomingMessage } from 'node:http';
import { CoxError } from '../../platform/errors.ts';

/** @throws CoxError `console-host`, `console-origin`. */
export function checkRequest({ method, headers }: IncomingMessage, port: number): void {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (!headers.host || !hosts.includes(headers.host))
    throw new CoxError('console-host', 'This address is not the one of the console', {
      hint: `Open http://${hosts[0]}/ with the port that the console has printed.`,
    });
  const fromElsewhere =
    headers['sec-fetch-site'] !== undefined && !/^(same-origin|none)$/.test(String(headers['sec-fetch-site']));
  // A link from another page may open the console; it reads nothing of it.
  const opens = method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  const wrongOrigin = method !== 'GET' && headers.origin !== `http://${headers.host}`;
  if (wrongOrigin || (fromElsewhere && !opens))
    throw new CoxError('console-origin', 'Another site has sent this request', { hint: 'Use the page of the console itself.' });
}

/** @param bus address of the WebSocket that the page may connect to. */
export function safeHeaders(bus: string): Record<string, string> {
  const csp = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "worker-src 'self'",
    `connect-src 'self' ${originOf(bus)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return {
    'Content-Security-Policy': csp.join('; '),
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
    'Cache-Control': 'no-store',
  };
}

const originOf = (url: string): string => {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
};
