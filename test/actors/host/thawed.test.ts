import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { claim } from '../../../bus/queue/claim.ts';
import { readState, stateStream } from '../../../bus/state/state-store.ts';
import type { Writes } from '../../../bus/writes.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

test('a worker that thaws before its first commit leaves the task to its new holder', async () => {
  const other = await crew.join('other');
  const { bus } = joined;
  let isFrozen = true;
  const send: Writes['send'] = async (stream, subject, payload, options) => {
    if (isFrozen && stream === stateStream(bus)) {
      isFrozen = false;
      // Meanwhile the ticket is delivered again, to another worker.
      const { id, t: run, q: seq } = JSON.parse(String(payload));
      const who = { node: 'other', now: () => new Date(), leaseMs: 10_000 };
      expect(await claim(other.bus, { type: 'reasoning', ticket: { id, run }, seq }, who)).toMatchObject({ kind: 'run' });
    }
    return bus.writes.send(stream, subject, payload, options);
  };
  await crew.node({ ...joined, bus: { ...bus, writes: { send } as Writes } }, { slots: 1 });
  const id = await other.crew.dispatch({ type: 'reasoning', instruction: 'the first' });
  await other.crew.dispatch({ type: 'reasoning', instruction: 'the second' });
  // There is one slot, so the second task begins after the first one is over.
  const call = await crew.model.next();
  expect(call.texts('user').join()).toContain('the second');
  expect((await readState(other.bus, id))?.record).toMatchObject({ node: 'other', epoch: 1 });
});
