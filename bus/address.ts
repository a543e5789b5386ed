/**
 * The NATS server that the operator named, and the login for it. Secrets come from a file or an environment variable, never from
 * an argument. The URL itself may contain a user and a password.
 *
 * NATS_URL lists one or several servers, separated by commas (nats://, tls://, ws://, wss://). The login is the first of these
 * that is set: NATS_CREDS (a .creds file), NATS_NKEY (a file with a seed), NATS_TOKEN, NATS_USER with NATS_PASSWORD, the login in
 * the URL. NATS_CA, NATS_CERT and NATS_KEY name files for TLS.
 */
import { readFileSync } from 'node:fs';
import {
  type Authenticator,
  credsAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/nats-core';
import { CoxError, messageOf } from '../platform/errors.ts';

export interface TlsFiles {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

export interface BusAddress {
  /** URLs without user and password. */
  readonly servers: readonly string[];
  readonly transport: 'tcp' | 'websocket';
  /** Null: the server decides whether the connection uses TLS. */
  readonly tls: TlsFiles | null;
  /** Null: log in without credentials. */
  readonly authenticator: Authenticator | null;
  /** Source of the credentials, for error messages: `NATS_CREDS`. */
  readonly credentialsFrom: string;
}

const schemes = new Map([
  ['nats:', 'tcp'],
  ['tls:', 'tcp'],
  ['ws:', 'websocket'],
  ['wss:', 'websocket'],
] as const satisfies readonly (readonly [string, BusAddress['transport']])[]);

/**
 * @returns null if NATS_URL is not set.
 * @throws CoxError `nats-url` (not a URL, or an unknown scheme), `nats-credentials` (a file that cannot be read or used).
 */
export function busAddress(env: NodeJS.ProcessEnv): BusAddress | null {
  const named = env.NATS_URL?.trim();
  if (!named) return null;
  const urls = named.split(',').map((text) => parseUrl(text.trim()));
  const transports = new Set(urls.map((url) => transportOf(url)));
  const [transport] = transports;
  if (!transport || transports.size > 1)
    throw badUrl('mixes ws:// or wss:// with nats:// or tls://', 'Name servers of one kind only, or a single server.');

  const login = loginFrom(env) ?? loginOf(urls);
  const files: TlsFiles = {
    ...(env.NATS_CA ? { caFile: env.NATS_CA } : {}),
    ...(env.NATS_CERT ? { certFile: env.NATS_CERT } : {}),
    ...(env.NATS_KEY ? { keyFile: env.NATS_KEY } : {}),
  };
  const secured = urls.some(({ protocol }) => protocol === 'tls:') || Object.keys(files).length > 0;
  return {
    servers: urls.map((url) => `${url.protocol}//${url.host}`),
    transport,
    tls: secured ? files : null,
    authenticator: login?.authenticator ?? null,
    credentialsFrom: login?.from ?? 'nowhere: NATS_CREDS, NATS_NKEY, NATS_TOKEN and NATS_USER are not set',
  };
}

function parseUrl(text: string): URL {
  try {
    // Without a scheme, URL would read `localhost:4222` as the scheme "localhost:".
    return new URL(text.includes('://') ? text : `nats://${text}`);
  } catch (error) {
    // The error does not show the text, because it may contain a password.
    throw badUrl(`is not a URL (${messageOf(error)})`, 'Write it as nats://host:4222.');
  }
}

function transportOf(url: URL): BusAddress['transport'] {
  const transport = schemes.get(url.protocol as 'nats:');
  if (transport && url.hostname) return transport;
  throw badUrl(
    `has the scheme ${url.protocol}// and the host "${url.hostname}"`,
    'Use nats://, tls://, ws:// or wss:// and a host.',
  );
}

const badUrl = (what: string, hint: string): CoxError => new CoxError('nats-url', `NATS_URL ${what}`, { hint });

interface Login {
  readonly from: string;
  readonly authenticator: Authenticator;
}

function loginFrom(env: NodeJS.ProcessEnv): Login | null {
  if (env.NATS_CREDS) return fromFile('NATS_CREDS', env.NATS_CREDS, (bytes) => credsAuthenticator(bytes));
  if (env.NATS_NKEY) return fromFile('NATS_NKEY', env.NATS_NKEY, (bytes) => nkeyAuthenticator(seedIn(bytes)));
  if (env.NATS_TOKEN) return { from: 'NATS_TOKEN', authenticator: tokenAuthenticator(env.NATS_TOKEN) };
  if (env.NATS_USER)
    return { from: 'NATS_USER', authenticator: usernamePasswordAuthenticator(env.NATS_USER, env.NATS_PASSWORD ?? '') };
  return null;
}

/** As in other NATS clients, a user without a password is a token. */
function loginOf(urls: readonly URL[]): Login | null {
  const url = urls.find(({ username }) => username !== '');
  if (!url) return null;
  const user = decodeURIComponent(url.username);
  const authenticator = url.password
    ? usernamePasswordAuthenticator(user, decodeURIComponent(url.password))
    : tokenAuthenticator(user);
  return { from: 'NATS_URL', authenticator };
}

function fromFile(from: string, path: string, make: (bytes: Uint8Array) => Authenticator): Login {
  try {
    const authenticator = make(readFileSync(path));
    // The authenticator parses the content only when it signs a challenge, so it signs one here to detect a bad file early.
    authenticator('cox');
    return { from, authenticator };
  } catch (error) {
    throw new CoxError('nats-credentials', `${from}: the file ${path} cannot be used (${messageOf(error)})`, {
      hint:
        from === 'NATS_CREDS' ? 'It must be a .creds file written by nsc.' : 'It must contain an nkey seed that starts with SU.',
      cause: error,
    });
  }
}

function seedIn(bytes: Uint8Array): Uint8Array {
  const seed = /\bS[A-Z][A-Z2-7]{56}\b/.exec(new TextDecoder().decode(bytes))?.[0];
  if (!seed) throw new Error('it contains no nkey seed');
  return new TextEncoder().encode(seed);
}
