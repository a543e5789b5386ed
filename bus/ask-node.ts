/** A request to the service of the crew, for clients and nodes that may not do themselves what they ask for. */
import { NoRespondersError, TimeoutError } from '@nats-io/nats-core';
import { z } from 'zod';
import { CoxError } from '../platform/errors.ts';
import type { Bus } from './bus.ts';
import { isDenied } from './jetstream-errors.ts';

/** A node that does not answer in this time, in ms, is overloaded or frozen. */
const answerMs = 15_000;
const mostTries = 3;

const Refusal = z.object({ code: z.string(), message: z.string(), hint: z.string() });

/** @throws CoxError with the code of the refusal; `no-node`, `bus-away`, `role-denied`. */
export async function askNode<T>({ nc, subjects, team }: Bus, verb: string, request: object): Promise<T> {
  const reply = await nc.request(`${subjects.api()}.${verb}`, JSON.stringify(request), { timeout: answerMs }).catch((cause) => {
    if (isDenied(cause) && team)
      throw team.denied(`ask for ${verb}`, 'Ask a member whose role allows it, or the keeper of the crew.', cause);
    if (cause instanceof NoRespondersError || cause.cause instanceof NoRespondersError)
      throw new CoxError('no-node', `No node of the crew ${subjects.namespace} answers ${verb}`, {
        hint: 'In a crew with roles a node with the role supervisor must be up: cox up.',
        cause,
      });
    if (cause instanceof TimeoutError || cause.cause instanceof TimeoutError)
      throw new CoxError('bus-away', `No node has answered ${verb} for ${answerMs / 1_000} s`, {
        hint: 'Look at the nodes and the server; then try again.',
        cause,
      });
    throw cause;
  });
  if (!reply.headers?.get('Nats-Service-Error-Code')) return reply.json<T>();
  const { data } = Refusal.safeParse(reply.json());
  throw new CoxError(data?.code ?? 'internal', data?.message ?? `A node refused ${verb}`, {
    hint: data?.hint ?? 'See the log of the node.',
  });
}

/** Asks again where no node has answered. @param request must be safe to repeat. @throws as askNode. */
export async function askNodeAgain<T>(bus: Bus, verb: string, request: object): Promise<T> {
  for (let tries = 1; ; tries++)
    try {
      return await askNode(bus, verb, request);
    } catch (cause) {
      if (tries === mostTries || !(cause instanceof CoxError) || cause.code !== 'bus-away') throw cause;
    }
}
