/** The dead letters for a member of a crew with roles that may not write them: the nodes list and drop them. */
import { CoxError } from '../platform/errors.ts';
import { askNode } from './ask-node.ts';
import { askPage, askRows } from './ask-pages.ts';
import type { Bus } from './bus.ts';
import type { DeadLetter } from './messages.ts';
import type { DeadLetters } from './queue/dead-letters.ts';
import type { Team } from './team/team.ts';

/** The questions that a client may ask of the dead letters, of their stream or by the nodes. */
export type Letters = Pick<DeadLetters, 'list' | 'page' | 'retry' | 'drop' | 'dropAll'>;

/** A retry would be an order of the node that answers, so an operator gives the order anew. */
export function remoteLetters(bus: Bus & { readonly team: Team }): Letters {
  const drop = async (id: string) => void (await askNode(bus, 'deadDrop', { id }));
  return {
    list: () => askRows<DeadLetter>(bus, 'dead', {}),
    page: (query = {}) => askPage<DeadLetter>(bus, 'dead', query),
    drop,
    dropAll: async (letters, signal) => {
      for (const { id } of letters) {
        signal.throwIfAborted();
        await drop(id).catch((cause: unknown) => {
          if (!(cause instanceof CoxError) || cause.code !== 'unknown-letter') throw cause;
        });
      }
    },
    retry: async () => {
      throw bus.team.denied(
        'retry a dead letter',
        'Dispatch the task again, or have its goal run it again (cox rerun); then drop the letter.',
      );
    },
  };
}
