import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Joined } from '../../actors/join.ts';
import { claimTickets } from '../../bus/queue/task-queue.ts';
import { stateStream } from '../../bus/state/state-record.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { never } from '../support/watching.ts';

let crew: TestCrew;
let joined: Joined;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

test('a ticket that comes again while it is claimed here goes to nobody else', async () => {
  const other = await crew.join('other');
  const ackWaitMs = 1_000;
  /** What workers say of tickets: -NAK, +WPI, +ACK. */
  const said = other.bus.nc.subscribe(`$JS.ACK.${other.bus.subjects.workStream}.>`)[Symbol.asyncIterator]();
  await other.bus.nc.flush();
  const { bus } = joined;
  const answer = Promise.withResolvers<void>();
  const { streams } = bus.jsm;
  const getMessage = async (stream: string, query: never) => {
    if (stream === stateStream(bus)) await answer.promise;
    return streams.getMessage(stream, query);
  };
  const jsm = Object.create(bus.jsm, { streams: { value: Object.create(streams, { getMessage: { value: getMessage } }) } });
  await crew.node({ ...joined, bus: { ...bus, jsm } }, { ackWaitMs });
  const id = await other.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  // The claim takes so long that the ticket is delivered again.
  await said.next();
  let taken = 0;
  const slot = { type: 'reasoning', queue: 'pending' as const, slots: 1, ackWaitMs };
  const elsewhere = await claimTickets(other.bus, slot, async (delivery) => {
    if (delivery.ticket.id === id) taken++;
    delivery.nak(ackWaitMs);
  });
  // The server asks who waits in turn: this one goes to the node, the next to the other.
  await other.crew.dispatch({ type: 'reasoning', instruction: 'another' });
  answer.resolve();
  const call = await crew.model.next((it) => it.texts('user').join().includes('x'));
  for (let beats = 0; beats < 3; ) if ((await said.next()).value?.string() === '+WPI') beats++;
  expect(taken).toBe(0);
  call.reply('done');
  await other.crew.result(id, never);
  await elsewhere.stop();
});
