import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { readState, stateStream } from '../../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';

let crew: TestCrew;
let joined: CrewSession;
let answer: PromiseWithResolvers<void>;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
  answer = Promise.withResolvers();
});
afterEach(() => {
  // A node waits for its claims before it leaves.
  answer.resolve();
  return crew.stop();
});

test('the lease of a ticket that is redelivered to the worker still claiming it is renewed, and nobody else gets it', async () => {
  const other = await crew.join('other');
  /** The acks that workers send for tickets: -NAK, +WPI, +ACK. */
  const said = other.bus.nc.subscribe(`$JS.ACK.${other.bus.subjects.workStream}.>`)[Symbol.asyncIterator]();
  const word = async () => (await said.next()).value?.string();
  await other.bus.nc.flush();
  const { bus } = joined;
  const { streams } = bus.jsm;
  const getMessage = async (stream: string, query: never) => {
    if (stream === stateStream(bus)) await answer.promise;
    return streams.getMessage(stream, query);
  };
  const jsm = Object.create(bus.jsm, { streams: { value: Object.create(streams, { getMessage: { value: getMessage } }) } });
  await crew.node({ ...joined, bus: { ...bus, jsm } }, { leaseMs: 1_000 });
  const id = await other.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  // The claim takes so long that the ticket is delivered again.
  expect(await word()).toBe('+WPI');
  answer.resolve();
  const call = await crew.model.next();
  // Its lease is still renewed, by the later delivery.
  for (let beats = 0; beats < 3; beats++) expect(await word()).toBe('+WPI');
  call.reply('done');
  let last = await word();
  while (last === '+WPI') last = await word();
  expect(last).toBe('+ACK');
  expect((await readState(other.bus, id))?.record).toMatchObject({ phase: 'done', epoch: 1 });
});
