/** The dead letters: of their stream for a client that may write there, else by the nodes of the crew. */
import type { Crew } from '../bus/crew.ts';
import type { Letters } from '../bus/remote-letters.ts';

export async function lettersOf(crew: Crew): Promise<Letters> {
  const [{ DeadLetters }, { remoteLetters }] = await Promise.all([
    import('../bus/queue/dead-letters.ts'),
    import('../bus/remote-letters.ts'),
  ]);
  const { team } = crew.bus;
  return team && !team.is('supervisor') ? remoteLetters({ ...crew.bus, team }) : new DeadLetters(crew);
}
