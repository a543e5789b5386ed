import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { messagesAfter, recordsOf } from '../../../bus/state/batch-get.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeAll(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterAll(() => crew.stop());

test('a read of tasks without records finds none', async () => {
  expect(await recordsOf(joined.bus, ['none.1', 'none.2'], () => true)).toEqual(new Map());
});

test('a batch read does not wait for messages that are purged meanwhile', async () => {
  const { bus } = joined;
  const { logStream } = bus.subjects;
  const subject = bus.subjects.of('gone.0', 'steering');
  for (let n = 0; n < 30; n++) {
    await joined.crew.steer('gone.0', { type: 'steer', text: `${n}` });
    const asked = Array.fromAsync(messagesAfter(bus, logStream, subject, 0));
    await bus.jsm.streams.purge(logStream, { filter: subject });
    expect((await asked).length).toBeLessThan(2);
  }
});

test('a batch that breaks off, as from a lost server, is requested again', async () => {
  const { bus } = joined;
  const { logStream } = bus.subjects;
  const subject = bus.subjects.of('half.0', 'steering');
  for (const text of ['one', 'two']) await joined.crew.steer('half.0', { type: 'steer', text });
  let asked = 0;
  type Callback = (done: object | null, message: unknown) => void;
  const getBatch = async (stream: string, query: { callback: Callback; seq: number }) => {
    asked++;
    if (asked > 1) return bus.jsm.direct.getBatch(stream, query as never);
    query.callback(null, await bus.jsm.direct.getMessage(stream, { seq: query.seq, next_by_subj: subject } as never));
    return { stop: () => {} };
  };
  const losing = { ...bus, jsm: Object.create(bus.jsm, { direct: { value: { getBatch } } }) };
  expect(await Array.fromAsync(messagesAfter(losing, logStream, subject, 0))).toHaveLength(2);
  expect(asked).toBe(2);
});
