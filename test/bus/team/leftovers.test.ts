/** No operation of a client of the desk, and no verb that only a crew with roles has, leaves anything behind. */
import { randomUUID } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { Artifacts } from '../../../bus/artifacts/artifacts.ts';
import { askNode } from '../../../bus/ask-node.ts';
import { Crew } from '../../../bus/crew.ts';
import { inspect } from '../../../bus/inspect/inspect.ts';
import { TaskSpec } from '../../../bus/messages.ts';
import { goalOf } from '../../../bus/task-id.ts';
import { lettersOf } from '../../../cli/letters.ts';
import { added, listenersOn, randomToken, watchResources } from '../../support/leftovers.ts';
import { TeamCrew } from '../../support/team-crew.ts';
import { finalReceipt } from '../../support/watching.ts';

let crew: TeamCrew;
let boss: CrewSession;
let ann: CrewSession;
let task: string;
const resources = watchResources();
/** A caller passes the same signal to everything that it does. */
const kept = new AbortController().signal;
const spec = TaskSpec.parse({ type: 'reasoning', instruction: 'nothing', backend: 'main' });

beforeAll(async () => {
  crew = await TeamCrew.start({ boss: ['supervisor', 'worker'], ann: ['operator'] });
  boss = await crew.join('boss');
  await crew.node(boss, { quietMs: 20 });
  crew.model.answer((call) => call.reply('done'));
  ann = await crew.join('ann');
  task = await ann.crew.dispatch(spec);
  await ann.crew.result(task, kept);
});
afterAll(async () => {
  resources.stop();
  await crew?.stop();
});

const cancel = () => ann.crew.steer(task, { type: 'cancel' }, kept);
const order = async () => {
  const id = goalOf(`${randomUUID().replaceAll('-', '').slice(0, 8)}.0`);
  const seal = ann.bus.team!.seal(id, spec, ann.bus.now());
  await askNode(ann.bus, 'order', { id, spec, seal });
  await ann.crew.result(id, kept);
};
const outcome = () =>
  askNode(boss.bus, 'outcome', {
    task,
    outcome: { type: 'outcome', id: randomUUID(), call: 's1-0', epoch: 1, proof: 'none', text: 'done' },
  });

/** The ref of something that the task has stored. */
const artifact = async () => {
  const place = { task, call: 's1-0', n: 'made-0' } as const;
  const bytes = Buffer.alloc(600_000, 'a');
  return (await new Artifacts(boss.bus).store(place, { name: 'a', type: 'text/plain', bytes })).ref;
};

const ofCrew: Readonly<Record<string, () => Promise<unknown>>> = {
  dispatch: async () => ann.crew.result(await ann.crew.dispatch(spec), kept),
  take: order,
  steer: async () => finalReceipt(ann.crew, task, await cancel()),
  receipts: async () => finalReceipt(ann.crew, task, await cancel()),
  status: () => ann.crew.status(task),
  tasks: () => ann.crew.tasks(),
  taskPage: () => ann.crew.taskPage({ limit: 1 }),
  questions: () => ann.crew.questions(),
  questionPage: () => ann.crew.questionPage({ limit: 1 }),
  peekResult: () => ann.crew.peekResult(task),
  result: () => ann.crew.result(task, kept),
  awaitResult: () => ann.crew.awaitResult(task, kept),
  artifactPage: () => ann.crew.artifactPage(task, { limit: 1 }),
  artifacts: async () => ann.crew.artifacts().read(await artifact()),
  artifact: async () => ann.crew.artifact(await artifact()),
  journal: () => ann.crew.journal({ task }),
  fork: async () => ann.crew.result(await ann.crew.fork(task, { step: 1 }), kept),
  costs: () => ann.crew.costs(),
  tree: () => ann.crew.tree(task),
  treePage: () => ann.crew.treePage(task, { limit: 1 }),
  watch: async () => {
    const events = ann.crew.watch(null, kept);
    const next = events.next();
    await finalReceipt(ann.crew, task, await cancel());
    await next;
    await events.return(undefined);
  },
};
const others: Readonly<Record<string, () => Promise<unknown>>> = {
  outcome,
  machine: () => askNode(ann.bus, 'machine', { task }),
  inspect: async () => {
    const over = new AbortController();
    const events = inspect(ann.bus, '*', AbortSignal.any([kept, over.signal]));
    const next = events.next();
    await ann.crew.result(await ann.crew.dispatch(spec), kept);
    await next;
    over.abort();
    await events.return(undefined);
  },
  letters: async () => (await lettersOf(ann.crew)).list(),
};

test('of steers whose receipts nobody asks for, the last hundred are listened for', async () => {
  const before = subscriptionsOf(ann.bus).length;
  for (let i = 0; i < 101; i++) await ann.crew.steer(goalOf(`none${i}.0`), { type: 'cancel' }, kept);
  expect(subscriptionsOf(ann.bus).length).toBe(before + 100);
});

/** The client has no other way to tell. */
const subscriptionsOf = ({ nc }: { nc: NatsConnection }): string[] => {
  const { subscriptions } = (nc as unknown as { protocol: { subscriptions: { all(): { subject: string }[] } } }).protocol;
  return subscriptions.all().map(({ subject }) => `subscription: ${subject.replaceAll(randomToken, '<random>')}`);
};
/** No member may list the streams. */
async function consumers(): Promise<string[]> {
  const { logStream, workStream, deadStream, stateBucket } = boss.bus.subjects;
  const counted = [logStream, workStream, deadStream, `KV_${stateBucket}`].map(async (stream) => {
    const { state } = await boss.bus.jsm.streams.info(stream);
    return Array.from({ length: state.consumer_count }, () => `consumer of ${stream}`);
  });
  return (await Promise.all(counted)).flat();
}
const now = async () => [
  ...resources.now(),
  ...listenersOn(kept),
  ...subscriptionsOf(ann.bus),
  ...subscriptionsOf(boss.bus),
  ...(await consumers()),
];

test('every operation of a crew is in the table', () => {
  const isMethod = (name: string) => typeof Object.getOwnPropertyDescriptor(Crew.prototype, name)?.value === 'function';
  const methods = Object.getOwnPropertyNames(Crew.prototype).filter((name) => name !== 'constructor' && isMethod(name));
  expect(Object.keys(ofCrew).toSorted()).toEqual(methods.toSorted());
});

test.each(Object.entries({ ...ofCrew, ...others }))('%s leaves nothing behind', async (_, run) => {
  await run();
  const before = await now();
  for (let i = 0; i < 4; i++) await run();
  await expect.poll(async () => added(before, await now()).join('\n'), { timeout: 20_000, interval: 100 }).toBe('');
});
