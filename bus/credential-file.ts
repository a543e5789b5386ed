/**
 * Reads the credentials in files that people have copied, mailed and edited: with Windows line ends, a byte order mark, in UTF-16,
 * indented, or without a last line end. Only the token and the seed count; the client library's own reader takes one form.
 */
import { type Authenticator, jwtAuthenticator, nkeyAuthenticator } from '@nats-io/nats-core';
import { lenientUtfText } from '../platform/utf-text.ts';

/** @throws an Error that says in words what is missing; it never contains a part of the file. */
export function loginFromCreds(bytes: Uint8Array): Authenticator {
  const text = lenientUtfText(bytes);
  const jwt = /(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]+/.exec(text)?.[0];
  if (!jwt) throw new Error('it contains no user JWT');
  return checked(jwtAuthenticator(jwt, seedIn(text)));
}

/** @throws as loginFromCreds. */
export const loginFromSeed = (bytes: Uint8Array): Authenticator => checked(nkeyAuthenticator(seedIn(lenientUtfText(bytes))));

function seedIn(text: string): Uint8Array {
  const seed = /\bS[A-Z][A-Z2-7]{56}\b/.exec(text)?.[0];
  if (!seed) throw new Error('it contains no nkey seed');
  return new TextEncoder().encode(seed);
}

/** The authenticator reads the seed only when it signs a challenge, so it signs one here to detect a bad one early. */
function checked(authenticator: Authenticator): Authenticator {
  authenticator('cox');
  return authenticator;
}
