/**
 * The NATS server that the operator named, and the login for it. Secrets come from a file or an environment variable, never from
 * an argument. The URL itself may contain a user and a password.
 *
 * NATS_URL lists one or several servers, separated by commas (nats://, tls://, ws://, wss://). The login is the first of these
 * that is set: NATS_CREDS (a .creds file), NATS_NKEY (a file with a seed), NATS_TOKEN, NATS_USER with NATS_PASSWORD, the login in
 * the URL. NATS_CA, NATS_CERT and NATS_KEY name files for TLS.
 */

import { type Authenticator, tokenAuthenticator, usernamePasswordAuthenticator } from '@nats-io/nats-core';
import { CoxError, messageOf } from '../platform/errors.ts';
import { readSmallSync } from '../platform/small-file.ts';
import { withoutTail } from '../platform/trim.ts';
import { loginFromCreds, loginFromSeed } from './credential-file.ts';
import { hostOf, parseServers, pathOf } from './server-url.ts';

export interface TlsFiles {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

export interface BusAddress {
  /** URLs without user and password. Those of WebSockets have their path and query. */
  readonly servers: readonly string[];
  readonly transport: 'tcp' | 'websocket';
  /** Null: the server decides whether the connection uses TLS. */
  readonly tls: TlsFiles | null;
  /** Null: log in without credentials. */
  readonly authenticator: Authenticator | null;
  /** Source of the credentials, for error messages: `NATS_CREDS`. */
  readonly credentialsFrom: string;
}

/**
 * @returns null if NATS_URL is not set.
 * @throws CoxError `nats-url` (not a URL, or an unknown scheme), `nats-credentials`
 * (a file that cannot be read or used).
 */
export function busAddress(env: NodeJS.ProcessEnv): BusAddress | null {
  const named = env.NATS_URL?.trim();
  if (!named) return null;
  const { urls, transport } = parseServers(named);
  const login = loginFrom(env) ?? loginOf(urls);
  const files = tlsFiles(env);
  if (transport === 'websocket' && Object.keys(files).length > 0)
    throw new CoxError('nats-url', 'NATS_CA, NATS_CERT and NATS_KEY are of no use with a ws:// or wss:// address in NATS_URL', {
      hint: 'Name the authority of the server in NODE_EXTRA_CA_CERTS and unset them, or use a tls:// address.',
    });
  const secured = urls.some(({ protocol }) => protocol === 'tls:') || Object.keys(files).length > 0;
  return {
    servers: urls.map((url) => `${url.protocol}//${hostOf(url)}${pathOf(url)}`),
    transport,
    tls: secured ? files : null,
    authenticator: login?.authenticator ?? null,
    credentialsFrom: login?.from ?? 'nowhere: NATS_CREDS, NATS_NKEY, NATS_TOKEN and NATS_USER are not set',
  };
}

const tlsVariables = { NATS_CA: 'caFile', NATS_CERT: 'certFile', NATS_KEY: 'keyFile' } as const;

/** The client reads the files at each connection; a file that it could not use is reported here, with its variable. */
function tlsFiles(env: NodeJS.ProcessEnv): TlsFiles {
  const files: { -readonly [Name in keyof TlsFiles]: TlsFiles[Name] } = {};
  for (const [variable, name] of Object.entries(tlsVariables)) {
    const path = setIn(env, variable);
    if (!path) continue;
    const text = readAs(variable, path, 'It must be a file in PEM form.', (bytes) => bytes.toString('latin1'));
    if (!text.includes('-----BEGIN '))
      throw unusable(variable, path, 'it has no -----BEGIN line', 'It must be a file in PEM form.');
    files[name] = path;
  }
  return files;
}

/** A variable that came from a file with Windows line ends has a carriage return at its end. */
const setIn = (env: NodeJS.ProcessEnv, name: string): string => withoutTail(env[name] ?? '', '\r\n');

interface Login {
  readonly from: string;
  readonly authenticator: Authenticator;
}

const inCreds = 'It must be a .creds file written by nsc.';
const inSeed = 'It must contain an nkey seed that starts with SU.';

function loginFrom(env: NodeJS.ProcessEnv): Login | null {
  const [creds, nkey, token, user] = ['NATS_CREDS', 'NATS_NKEY', 'NATS_TOKEN', 'NATS_USER'].map((name) => setIn(env, name));
  if (creds) return { from: 'NATS_CREDS', authenticator: readAs('NATS_CREDS', creds, inCreds, loginFromCreds) };
  if (nkey) return { from: 'NATS_NKEY', authenticator: readAs('NATS_NKEY', nkey, inSeed, loginFromSeed) };
  if (token) return { from: 'NATS_TOKEN', authenticator: tokenAuthenticator(token) };
  if (user) return { from: 'NATS_USER', authenticator: usernamePasswordAuthenticator(user, setIn(env, 'NATS_PASSWORD')) };
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

const mostCredentialBytes = 2 ** 20;

function readAs<T>(variable: string, path: string, hint: string, use: (bytes: Buffer) => T): T {
  try {
    return use(readSmallSync(path, mostCredentialBytes));
  } catch (error) {
    throw unusable(variable, path, messageOf(error), hint, error);
  }
}

const unusable = (variable: string, path: string, why: string, hint: string, cause?: unknown): CoxError =>
  new CoxError('nats-credentials', `${variable}: the file ${path} cannot be used (${why})`, { hint, cause });
