/**
 * Reads NATS_URL. An error names the part that is wrong and the way out, and shows nothing that may belong to a password.
 */
import { CoxError } from '../platform/errors.ts';

export type Transport = 'tcp' | 'websocket';

const schemes = new Map<string, Transport>([
  ['nats:', 'tcp'],
  ['tls:', 'tcp'],
  ['ws:', 'websocket'],
  ['wss:', 'websocket'],
]);
const knownSchemes = 'Use nats://, tls://, ws:// or wss:// and a host.';
const encodeHint =
  'In user and password write % as %25, @ as %40, : as %3A, / as %2F, ? as %3F, # as %23 and a comma as %2C; ' +
  'or name them in NATS_USER and NATS_PASSWORD, as they are.';

/**
 * @param text one or several URLs, separated by commas; the scheme may be left out.
 * @throws CoxError `nats-url`.
 */
export function parseServers(text: string): { urls: URL[]; transport: Transport } {
  const quote = /^["'`\u2018-\u201F\u00AB\u00BB]|["'`\u2018-\u201F\u00AB\u00BB]$/u.exec(text)?.[0];
  if (quote) throw badUrl(`begins or ends with a quotation mark (${quote})`, 'Leave the quotation marks out.');
  const parts = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (parts.length === 0) throw badUrl('names no server', 'Write it as nats://host:4222.');
  // `nats://ann:1,2@host` would be read as the server "ann:1" and a login at "host".
  if (parts.some((part) => !part.includes('@')) && parts.some((part) => part.includes('@') && !part.includes('://')))
    throw badUrl('has a comma in a user or a password, or a login without a scheme before it', encodeHint);
  const urls = parts.map((part) => parseUrl(part, parts.length > 1));
  const transports = new Set(urls.map((url) => transportOf(url)));
  const [transport] = transports;
  if (!transport || transports.size > 1)
    throw badUrl('mixes ws:// or wss:// with nats:// or tls://', 'Name servers of one kind only, or a single server.');
  return { urls, transport };
}

/** The host and the port. A URL of a WebSocket leaves out the port that is the default of its scheme. */
export const hostOf = (url: URL): string =>
  url.port || transportOf(url) === 'tcp' ? url.host : `${url.host}:${url.protocol === 'wss:' ? 443 : 80}`;

/** Path and query of a WebSocket's URL. The client library takes a colon or a bracket there for a part of the host. */
export const pathOf = (url: URL): string =>
  transportOf(url) === 'websocket' && `${url.pathname}${url.search}` !== '/'
    ? `${url.pathname}${url.search}`.replace(/[:[\]]/g, (char) => encodeURIComponent(char))
    : '';

function parseUrl(text: string, isOneOfMany: boolean): URL {
  // Without a scheme, URL would read `localhost:4222` as the scheme "localhost:".
  const whole = text.includes('://') ? text : `nats://${text}`;
  if (!URL.canParse(whole)) throw notParsed(whole, isOneOfMany);
  const url = new URL(whole);
  // The host of a scheme that URL does not know is not checked by it.
  if (url.host && !URL.canParse(`http://${url.host}`)) throw notParsed(whole, isOneOfMany);
  const transport = transportOf(url);
  checkLogin(url);
  if (url.port === '0') throw badUrl('has the port 0', 'Name the port of the server, mostly 4222.');
  if (transport === 'tcp' && (!['', '/'].includes(url.pathname) || url.search || url.hash))
    throw badUrl(
      'has something after host and port, which only ws:// and wss:// can have',
      'Leave it out, or use the scheme of a WebSocket.',
    );
  return url;
}

/** The URL is not shown, because it may contain a password. */
function notParsed(whole: string, isOneOfMany: boolean): CoxError {
  const rest = whole.slice(whole.indexOf('://') + 3);
  if (rest === '') return badUrl('has no host', knownSchemes);
  if (rest.includes('@') || isOneOfMany) return badUrl('is not a URL: its user, password, host or port', encodeHint);
  const port = /:([^:\]]*)$/.exec(rest)?.[1];
  if (port !== undefined && !/^\d{1,5}$/.test(port))
    return badUrl('is not a URL: its port is not a number', 'Write it as nats://host:4222.');
  return badUrl('is not a URL: its host or its port', 'Write it as nats://host:4222, an IPv6 address as nats://[::1]:4222.');
}

/** A sign that ends the host when it is not encoded is the commonest fault of a password in a URL. */
function checkLogin(url: URL): void {
  const tail = `${url.pathname}${url.search}${url.hash}`;
  if (tail.includes('@') && !url.username)
    throw badUrl('has a sign in its user or password that ends the name of the host: /, ? or #', encodeHint);
  if (url.password && !url.username) throw badUrl('has a password and no user', 'Write it as nats://user:password@host:4222.');
  for (const [part, value] of [
    ['user', url.username],
    ['password', url.password],
  ] as const) {
    if (!canDecode(value)) throw badUrl(`has a % in its ${part} that is not followed by two hex digits`, encodeHint);
  }
}

function canDecode(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function transportOf(url: URL): Transport {
  const transport = schemes.get(url.protocol);
  if (transport && url.hostname) return transport;
  if (!transport) throw badUrl(`has the scheme ${url.protocol.slice(0, 20)}//, which no NATS server has`, knownSchemes);
  throw badUrl('has no host', knownSchemes);
}

const badUrl = (what: string, hint: string): CoxError => new CoxError('nats-url', `NATS_URL ${what}`, { hint });
