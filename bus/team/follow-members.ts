/**
 * Keeps the list of members up to date while a node runs: who is invited or revoked counts at once. A supervisor that finds an
 * older list than its own on the bus, or something that is no list, puts its own in that place: a stranger who has the server
 * store something there must not bring revoked members back to the nodes that start later.
 */
import type { Bus } from '../bus.ts';
import { lastMessage } from '../leader-reads.ts';
import { publish } from '../publish.ts';
import { onReconnect } from '../reconnections.ts';

/** Resolves when the last list that the crew has published is known. */
export async function followMembers(bus: Bus): Promise<void> {
  const { nc, subjects, team, log } = bus;
  if (!team) return;
  const take = async (data: Uint8Array | undefined): Promise<void> => {
    const learnt = team.learn(parsed(data));
    if (learnt === 'newer') log.info({ version: team.list.version }, 'the list of members has changed');
    if (learnt === 'older' && team.is('supervisor')) await publish(bus, subjects.members(), JSON.stringify(team.list), {});
  };
  const failed = (err: unknown) => log.warn({ err }, 'the list of members could not be read or written');
  const read = async () => take((await lastMessage(bus, subjects.crewStream, subjects.members()))?.data);
  nc.subscribe(subjects.members(), { callback: (err, { data }) => void (err || take(data).catch(failed)) });
  onReconnect(nc, () => void read().catch(failed));
  await read();
}

function parsed(data: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch {
    return null;
  }
}
