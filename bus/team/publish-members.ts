/** Tells running nodes of a new list of members. The key of the crew logs in for this one message. */
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { Log } from '../../platform/log.ts';
import { connectBus } from '../connection.ts';
import { keeperToken } from './jwt.ts';
import type { Keeper } from './keeper.ts';
import { addressOf } from './login.ts';
import { inboxOf, keeperName } from './roles.ts';
import { openMembersStream } from './team-streams.ts';

/** @throws every error of the connection; JetStreamApiError. */
export async function publishMembers(keeper: Keeper, env: NodeJS.ProcessEnv, log: Log, signal: AbortSignal): Promise<void> {
  const { crew, url, seed, jwt } = keeper.login;
  const token = jwt && { jwt: keeperToken(keeper.subjects, jwt, crew, new Date()) };
  const to = addressOf({ url, seed, ...token }, env);
  const nc = await connectBus({ to, name: 'crew', log, inboxPrefix: inboxOf(keeperName), signal });
  try {
    await openMembersStream({ jsm: await jetstreamManager(nc, { checkAPI: false }), subjects: keeper.subjects });
    await jetstream(nc).publish(keeper.subjects.members(), JSON.stringify(keeper.list));
  } finally {
    await nc.close();
  }
}
