/**
 * The cost of an artifact against the floor: the same bytes in the same number of raw publishes, in turns, on one server.
 * `npm run bench:artifacts`; COX_BENCH_ROUNDS (default 50). Fails nothing.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { StorageType, StoreCompression } from '@nats-io/jetstream';
import { Artifacts } from '../../bus/artifacts/artifacts.ts';
import { testCrew } from '../support/crew.ts';

const rounds = Number(process.env.COX_BENCH_ROUNDS ?? 50);
const partBytes = 256 * 2 ** 10;
const sizes = [1_000, 100_000, 1_000_000, 16 * 2 ** 20];

const crew = await testCrew();
try {
  const { bus } = await crew.join();
  const artifacts = new Artifacts(bus);
  const config = { storage: StorageType.File, compression: StoreCompression.S2 };
  await bus.jsm.streams.add({ ...config, name: 'floor', subjects: ['floor.>'] });
  const median = (times: number[]) => times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!;
  const timed = async (times: number[], act: () => Promise<unknown>) => {
    const from = performance.now();
    await act();
    times.push(performance.now() - from);
  };
  console.log('bytes      raw publishes, ms   store, ms   ratio   read, ms');
  for (const size of sizes) {
    const times = { floor: [] as number[], store: [] as number[], read: [] as number[] };
    const content = randomBytes(size);
    const count = size > 1_000_000 ? Math.ceil(rounds / 5) : rounds;
    for (let round = 0; round < count; round++) {
      const task = `b${randomUUID().replaceAll('-', '').slice(0, 8)}.1`;
      const place = { task, call: 's1-0', n: 'made-0' } as const;
      const parts = Math.ceil(size / partBytes);
      await timed(times.floor, async () => {
        const subject = `floor.${task}`;
        const part = (i: number) => bus.js.publish(`${subject}.${i}`, content.subarray(i * partBytes, (i + 1) * partBytes));
        for (let from = 0; from < parts; from += 8)
          await Promise.all(Array.from({ length: Math.min(8, parts - from) }, (_, i) => part(from + i)));
        await bus.js.publish(`${subject}.head`, '{}');
      });
      await timed(times.store, () => artifacts.store(place, { name: 'a.png', type: 'image/png', bytes: content }));
      await timed(times.read, () => artifacts.readMade(`${task}/s1-0/made-0`));
    }
    const [floor, store, read] = [times.floor, times.store, times.read].map(median) as [number, number, number];
    const row = [
      String(size).padEnd(10),
      floor.toFixed(2).padStart(18),
      store.toFixed(2).padStart(11),
      (store / floor).toFixed(2),
    ];
    console.log(`${row.join(' ')}    ${read.toFixed(2).padStart(6)}`);
  }
  for (let n = 0; n < 100; n++)
    await artifacts.store({ task: 'list.1', call: `s${n}-0`, n: 'made-0' }, { name: 'a', type: 'a/b', bytes: randomBytes(10) });
  const { artifactPage } = await import('../../bus/artifacts/artifact-list.ts');
  const lists: number[] = [];
  for (let round = 0; round < rounds; round++) await timed(lists, () => artifactPage(bus, 'list.0', {}));
  console.log(`a list of 100: ${median(lists).toFixed(2)} ms`);
} finally {
  await crew.stop();
}
