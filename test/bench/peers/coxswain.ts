/** Coxswain and the raw floor, each on a nats-server of its own with the settings of the product. */
import type { CrewSession } from '../../../actors/node/join.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { floor as floorOnce } from '../fan-out/floor.ts';
import { echoNode, fanOut } from '../fan-out/ours.ts';
import type { Start, Surroundings } from './contender.ts';

async function joinedCrew({ ends }: Surroundings): Promise<{ crew: TestCrew; joined: CrewSession }> {
  const crew = await testCrew();
  ends.defer(() => crew.stop());
  return { crew, joined: await crew.join('bench') };
}

export const floor: Start = async (surroundings) => {
  const { joined } = await joinedCrew(surroundings);
  return {
    name: 'raw JetStream floor',
    stores: 'a ticket and a result each; the least there is',
    fanOut: (size) => floorOnce(joined, size),
  };
};

export const coxswain: Start = async (surroundings) => {
  const { crew, joined } = await joinedCrew(surroundings);
  await echoNode(crew, joined);
  return {
    name: 'Coxswain',
    stores: 'every state of every sub-task and of the goal, a log of what happened',
    fanOut: async (size) => (await fanOut(joined, size)).us,
  };
};
