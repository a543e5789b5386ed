/** A process that waits in one of the ways in which the library waits, until it is killed. Its argument names the wait. */
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { type CrewSession, DeadLetters, joinCrew, Memory, startNode } from '../../index.ts';
import { testRoster } from '../support/roster.ts';

const never = new AbortController().signal;

async function follow(events: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of events);
}
async function againAndAgain(read: () => Promise<unknown>): Promise<void> {
  for (;;) await read();
}
/** A task that nobody works on. */
const task = ({ crew }: CrewSession) => crew.dispatch({ type: 'nobody', instruction: 'wait' });
const ask = async (session: CrewSession, verb: string, request: object) =>
  session.bus.nc.request(`${session.bus.subjects.api()}.${verb}`, JSON.stringify(request), { timeout: 60_000 });

export const waits: Readonly<Record<string, (session: CrewSession) => Promise<unknown>>> = {
  result: async (session) => session.crew.result(await task(session), never),
  receipts: async (session) => {
    const id = await task(session);
    await follow(session.crew.receipts(id, await session.crew.steer(id, { type: 'steer', text: 'x' }), never));
  },
  watch: ({ crew }) => follow(crew.watch(null, never)),
  'a request that waits for a result': async (session) => ask(session, 'result', { task: await task(session), waitMs: 3_000 }),
  'a request that waits for receipts': async (session) =>
    ask(session, 'steer', { task: await task(session), text: 'x', waitMs: 3_000 }),
  'lists of tasks': ({ crew }) => againAndAgain(() => crew.tasks()),
  'notes that are recalled': ({ bus }) => againAndAgain(() => new Memory(bus).recall('city')),
  'lists of dead letters': ({ crew }) => againAndAgain(() => new DeadLetters(crew).list()),
  'a node with its primary': async (session) => {
    const node = await startNode(session, { roster: testRoster('http://127.0.0.1:9/v1'), types: ['reasoning'] });
    await node.primary.rejoin(never);
  },
};

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const session = await joinCrew({ namespace: 'books' });
  void waits[process.argv[2] ?? '']!(session);
  await session.bus.nc.flush();
  process.stdout.write('waiting\n');
  // The process lives until it is killed, whatever becomes of its wait.
  createInterface({ input: process.stdin });
}
