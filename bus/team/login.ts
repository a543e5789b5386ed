/** Where a member logs in, and how: by the nkey or the JWT in its file, whatever login the environment names besides. */
import { jwtAuthenticator, nkeyAuthenticator } from '@nats-io/nats-core';
import { CoxError } from '../../platform/errors.ts';
import { type BusAddress, busAddress } from '../address.ts';
import type { MemberFile } from './crew-file.ts';

/** The server is that of NATS_URL, else the one that the file names. @throws CoxError `nats-url`, `nats-credentials`. */
export function addressOf({ url, seed, jwt }: Pick<MemberFile, 'url' | 'seed' | 'jwt'>, env: NodeJS.ProcessEnv): BusAddress {
  const address = busAddress({ ...env, NATS_URL: env.NATS_URL?.trim() || url });
  if (!address)
    throw new CoxError('nats-url', 'A crew with roles needs a NATS server, and neither the crew file nor NATS_URL names one', {
      hint: 'Set NATS_URL, or let the keeper name the server: cox crew init --server <url>.',
    });
  const secret = new TextEncoder().encode(seed);
  return {
    ...address,
    authenticator: jwt ? jwtAuthenticator(jwt, secret) : nkeyAuthenticator(secret),
    credentialsFrom: 'the crew file',
  };
}
