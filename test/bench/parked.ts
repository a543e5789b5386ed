/**
 * Tasks that wait for an operator: their cost in a node, the time in which another node starts beside them, and how fast they
 * wake. `npm run bench:parked`; COX_BENCH_PARKED (default 10000). Fails nothing.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { defineKind } from '../../actors/kinds/define-kind.ts';
import { allRecords } from '../../bus/state/all-records.ts';
import { testCrew } from '../support/crew.ts';

const count = Number(process.env.COX_BENCH_PARKED ?? 10_000);
const asks = defineKind({
  name: 'asks',
  think: ({ messages }) => {
    const answer = messages.find(({ role }) => role === 'tool');
    return answer ? answer.text : { text: '', calls: [{ tool: 'ask_operator', args: { question: 'Which address?' } }] };
  },
});
const crew = await testCrew();
const node = { kinds: [asks], types: ['asks'], slots: 256 };
const joined = await crew.join('bench');
const first = await crew.node(joined, node);
const { bus } = joined;

/** Heap in bytes after several garbage collections. */
async function heap(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await delay(200);
  }
  return process.memoryUsage().heapUsed;
}
const timed = async <T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> => {
  const from = performance.now();
  const value = await work();
  return { ms: performance.now() - from, value };
};
const slices = (size: number) => Array.from({ length: Math.ceil(count / size) }, (_, i) => Math.min(size, count - i * size));

async function dispatchAll(): Promise<string[]> {
  const ids: string[] = [];
  for (const size of slices(500))
    ids.push(
      ...(await Promise.all(
        Array.from({ length: size }, () => joined.crew.dispatch({ type: 'asks', instruction: 'Fill in the form.' })),
      )),
    );
  return ids;
}
async function until(state: 'awaiting-steer' | 'done', work: () => Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const reached = new Set<string>();
  const subscription = bus.nc.subscribe(bus.subjects.every('status'), {
    callback: (_, { subject, data }) => {
      if (!Buffer.from(data).includes(`"state":"${state}"`)) return;
      reached.add(subject);
      if (reached.size === count) resolve();
    },
  });
  await bus.nc.flush();
  await work();
  await promise;
  subscription.unsubscribe();
}

const warmUp = await joined.crew.dispatch({ type: 'asks', instruction: 'Warm up.' });
await joined.crew.steer(warmUp, { type: 'cancel' });
const empty = await heap();
const ids: string[] = [];
const parking = await timed(() => until('awaiting-steer', async () => void ids.push(...(await dispatchAll()))));
console.log(`${count} tasks dispatched, asked and parked: ${((parking.ms * 1000) / count).toFixed(0)} µs each`);
await delay(1_000);
// The ids that this program keeps are subtracted: they are not the node's.
const own = ids.reduce((sum, id) => sum + id.length + 24, 0);
console.log(`a parked task: ${(((await heap()) - empty - own) / count).toFixed(0)} bytes of the node's heap`);

const scan = await timed(() => allRecords(bus, '>'));
console.log(`every record read and parsed: ${scan.ms.toFixed(0)} ms for ${scan.value.length}`);
const listed = await timed(() => joined.crew.tasks());
console.log(`the list of tasks: ${listed.ms.toFixed(0)} ms for ${listed.value.length}`);
await first.stop();
const restarted = await timed(() => crew.node(joined, node));
console.log(`a node starts beside them: ${restarted.ms.toFixed(0)} ms`);

const waking = await timed(() =>
  until('done', async () => {
    for (let i = 0; i < ids.length; i += 500)
      await Promise.all(
        ids.slice(i, i + 500).map((id) => joined.crew.steer(id, { type: 'answer', question: 'q1', text: 'the work address' })),
      );
  }),
);
console.log(`each answered, woken and done: ${((waking.ms * 1000) / count).toFixed(0)} µs each`);
await crew.stop();
