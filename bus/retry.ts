/**
 * Retries of requests. A server that restarts or is away only delays a request: it is repeated until the server answers.
 * Rule `retry-until-answered` (docs/task-protocol.md).
 */
import { JetStreamApiError } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { CoxError } from '../platform/errors.ts';
import type { Log } from '../platform/log.ts';
import { deniedSubject, isDenied, isOutOfStorage, isTransient } from './jetstream-errors.ts';
import { pause } from './pause.ts';
import { onReconnect } from './reconnections.ts';
import type { Team } from './team/team.ts';

/** The part of a bus that a request needs. */
interface Requester {
  readonly nc: NatsConnection;
  readonly log: Log;
  readonly team?: Team;
}

/** The server refused the request for good, so a retry would not help. */
const isAnswer = (cause: unknown): boolean =>
  cause instanceof CoxError || isOutOfStorage(cause) || (cause instanceof JetStreamApiError && !isTransient(cause));

/** Rejects at the next reconnection if `request` is still pending: its answer was lost with the old connection. */
export function unlessReconnected<T>(nc: NatsConnection, request: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = onReconnect(nc, () => {
      stop();
      reject(new Error('the connection was lost and restored during the request'));
    });
    const stopThen = <V>(how: (value: V) => void) => {
      return (value: V) => {
        stop();
        how(value);
      };
    };
    request.then(stopThen(resolve), stopThen(reject));
  });
}

/**
 * Repeats `request` until the server answers. The pause before a retry grows from 50 ms to 2 s.
 * @param what names the request in log messages.
 * @param request must be safe to repeat.
 * @throws the refusal of the server; CoxError `bus-closed` once the connection is closed for good; AbortError.
 */
export const retryRequest = <T>(bus: Requester, what: string, request: () => Promise<T>, signal?: AbortSignal): Promise<T> =>
  retry(bus, what, () => unlessReconnected(bus.nc, request()), signal);

/** The same for a request that handles reconnections itself, as writes do. */
export async function retry<T>(
  { nc, log, team }: Requester,
  what: string,
  request: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await request();
    } catch (cause) {
      if (isDenied(cause)) throw denied(what, cause, team);
      if (isAnswer(cause)) throw cause;
      if (nc.isClosed() || nc.isDraining())
        throw new CoxError('bus-closed', 'The connection to the bus was closed', { hint: 'Start again.', cause });
      if (attempt > 0) log.warn({ what, attempt, err: cause }, 'the bus does not answer; trying again');
      await pause(Math.min(50 * 2 ** attempt, 2_000), signal);
    }
  }
}

function denied(what: string, cause: unknown, team: Team | undefined): CoxError {
  const subject = deniedSubject(cause) ?? what;
  return (
    team?.denied(`publish on ${subject}`, 'Ask a member whose role allows it, or the keeper of the crew.', cause) ??
    new CoxError('role-denied', `The NATS server does not permit this user to publish on ${subject}`, {
      hint: 'Give the user more permissions; docs/operations.md says which ones a crew needs.',
      cause,
    })
  );
}
