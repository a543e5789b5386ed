import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { scanStream } from '../../../bus/log/stream-scan.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

const many = 4_000;
async function fill(): Promise<string> {
  const { js, subjects } = joined.bus;
  for (let n = 0; n < many; n += 500)
    await Promise.all(
      Array.from({ length: 500 }, (_, i) => js.publish(subjects.of(`some.${n + i + 1}`, 'status'), 'x'.repeat(1_000))),
    );
  return subjects.logStream;
}

test('a scan brings all messages of a stream in order and ends', async () => {
  const stream = await fill();
  const seen: number[] = [];
  await scanStream(joined.bus, stream, {}, ({ seq }) => seen.push(seq));
  expect(seen).toEqual(Array.from({ length: many }, (_, i) => i + 1));
});

test('a scan ends although its messages are purged meanwhile', async () => {
  const stream = await fill();
  let taken = 0;
  let purge: Promise<unknown> | null = null;
  await scanStream(joined.bus, stream, {}, () => {
    taken++;
    purge ??= joined.bus.jsm.streams.purge(stream);
  });
  await purge;
  expect(taken).toBeLessThan(many);
});

test('a scan of nothing ends at once, and an aborted one throws', async () => {
  const { logStream } = joined.bus.subjects;
  await scanStream(joined.bus, logStream, {}, () => expect.unreachable());
  await fill();
  const stop = new AbortController();
  const passing = scanStream(joined.bus, logStream, {}, () => stop.abort(), stop.signal);
  await expect(passing).rejects.toMatchObject({ name: 'AbortError' });
});
