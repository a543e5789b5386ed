/**
 * No public operation leaves anything behind: consumers, subscriptions, connections, timers, sockets, child processes, open files,
 * files, or listeners on the signal that it was given. Every operation of the library and every verb of the service is in a table.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { requests } from '../../bus/api-service.ts';
import { Artifacts } from '../../bus/artifacts/artifacts.ts';
import { findServerBinary } from '../../bus/embedded/server-binary.ts';
import { abandonedMs } from '../../bus/log/follow.ts';
import { type SteeringInput, steeringTypes, TaskSpec } from '../../bus/messages.ts';
import { examples } from '../../bus/protocol/protocol-examples.ts';
import { sendLetter } from '../../bus/queue/dead-letter-stream.ts';
import { readState } from '../../bus/state/state-store.ts';
import * as library from '../../index.ts';
import { type CoxNode, type CrewSession, DeadLetters, Memory, type Tool } from '../../index.ts';
import { foldersOf } from '../../platform/folders.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import {
  added,
  childProcesses,
  connectionsTo,
  consumersOf,
  filesIn,
  listenersOn,
  openFiles,
  watchResources,
} from '../support/leftovers.ts';
import { testRoster } from '../support/roster.ts';
import { finalReceipt } from '../support/watching.ts';
import { waits } from './waiting-caller.ts';

let crew: TestCrew;
let joined: CrewSession;
let node: CoxNode;
let workspace: string;
const resources = watchResources();
/** The configurations of all consumers that were made so far. */
const made: { readonly durable_name?: string; readonly inactive_threshold?: number }[] = [];
/** A caller passes the same signal to everything that it does. */
const kept = new AbortController().signal;
const namespace = 'books';

beforeAll(async () => {
  // Downloads of other tests must not count, so this one has a cache of its own.
  const found = await findServerBinary({ folders: foldersOf(process.env), env: process.env });
  if ('missing' in found) throw new Error(found.tried.join());
  process.env.COX_NATS_SERVER = found.path;
  crew = await testCrew();
  for (const [name, folder] of [
    ['TMPDIR', 'tmp'],
    ['XDG_CACHE_HOME', 'cache'],
  ] as const) {
    process.env[name] = crew.env[name] = join(crew.folder, folder);
    await mkdir(process.env[name]!);
  }
  workspace = join(crew.folder, 'workspace');
  await mkdir(workspace);
  joined = await crew.join('books', namespace);
  // The log is made with the first use.
  await alone(async () => {});
  node = await crew.node(joined, { rosterYaml: 'tools: { gated: [] }', workspace, quietMs: 20 });
  joined.bus.nc.subscribe('$JS.API.CONSUMER.*.>', {
    callback: (_, message) => {
      const { config } = message.data.length > 0 ? message.json<{ config?: (typeof made)[number] }>() : {};
      if (config) made.push(config);
    },
  });
  crew.model.answer((call) => {
    const [tool, args] = call.texts('user')[0]?.startsWith('write')
      ? ['write_file', { path: 'note.txt', text: String(Math.random()) }]
      : [];
    if (tool && call.texts('tool').length === 0) call.call(tool, args);
    else call.reply('done');
  });
});
afterAll(async () => {
  resources.stop();
  await crew?.stop();
});

type Operations = Readonly<Record<string, () => Promise<unknown> | unknown>>;

const plain = { type: 'reasoning', instruction: 'nothing', backend: 'main' } as const;
async function ended(spec: Parameters<library.Crew['dispatch']>[0] = plain): Promise<string> {
  const id = await joined.crew.dispatch(spec, kept);
  await joined.crew.result(id, kept);
  return id;
}
let endedTask: Promise<string> | null = null;
/** A task that has ended, the same for all operations. */
const anEnded = () => (endedTask ??= ended());

/** A dead letter for a task that has ended. */
async function letter(): Promise<string> {
  const id = await anEnded();
  const stored = await readState(joined.bus, id);
  await sendLetter(joined.bus, { ...stored!.record, deadLetter: 'kept' });
  return id;
}

/** The ref of an artifact of a task that has ended. */
async function artifact(): Promise<string> {
  const place = { task: await anEnded(), call: 's1-0', n: 'made-0' } as const;
  return (await new Artifacts(joined.bus).store(place, { name: 'a', type: 'text/plain', bytes: new Uint8Array(3) })).ref;
}

async function first<T>(events: AsyncGenerator<T>, cause: () => Promise<unknown>): Promise<void> {
  const next = events.next();
  await cause();
  await next;
  await events.return(undefined);
}
const cancel = async () => joined.crew.steer(await anEnded(), { type: 'cancel' }, kept);

const ofCrew: Operations = {
  dispatch: () => ended(),
  take: async () => {
    const seal = { key: 'none', at: new Date().toISOString(), signature: 'none' };
    const id = `${randomUUID().replaceAll('-', '').slice(0, 8)}.0`;
    await joined.crew.result(await joined.crew.take({ id, spec: TaskSpec.parse(plain), seal }), kept);
  },
  steer: cancel,
  receipts: async () => finalReceipt(joined.crew, await anEnded(), await cancel()),
  status: async () => joined.crew.status(await anEnded()),
  tasks: () => joined.crew.tasks(),
  taskPage: () => joined.crew.taskPage({ limit: 1 }),
  questions: () => joined.crew.questions(),
  questionPage: () => joined.crew.questionPage({ limit: 1 }),
  peekResult: async () => joined.crew.peekResult(await anEnded()),
  result: async () => joined.crew.result(await anEnded(), kept),
  awaitResult: async () => joined.crew.awaitResult(await anEnded(), kept),
  artifactPage: async () => joined.crew.artifactPage(await anEnded(), { limit: 1 }),
  artifacts: async () => joined.crew.artifacts().read(await artifact()),
  artifact: async () => joined.crew.artifact(await artifact()),
  journal: async () => joined.crew.journal({ task: await anEnded() }),
  fork: async () => joined.crew.result(await joined.crew.fork(await anEnded(), { step: 1 }), kept),
  tree: async () => joined.crew.tree(await anEnded()),
  costs: () => joined.crew.costs(),
  treePage: async () => joined.crew.treePage(await anEnded(), { limit: 1 }),
  watch: async () => first(joined.crew.watch(null, kept), cancel),
};

const memory = () => new Memory(joined.bus);
const ofMemory: Operations = {
  remember: () => memory().remember('city', 'Bern', 'me'),
  recall: () => memory().recall('city'),
  forget: () => memory().forget('city'),
};

const letters = () => new DeadLetters(joined.crew);
const ofLetters: Operations = {
  list: () => letters().list(),
  page: () => letters().page({ limit: 1 }),
  retry: async () => {
    const retried = await letters().retry(await letter(), kept);
    if (retried.how === 'dispatched') await joined.crew.result(retried.as, kept);
  },
  drop: async () => letters().drop(await letter()),
  dropAll: async () => {
    await letter();
    await letters().dropAll(await letters().list(), kept);
  },
};

/** Joins and leaves with the defaults of a program. */
async function alone<T>(use: (session: CrewSession) => Promise<T>): Promise<void> {
  const session = await library.joinCrew({ env: crew.env, namespace });
  await use(session);
  await session.close();
}
async function withNode(use: (node: CoxNode) => Promise<unknown>): Promise<void> {
  await alone(async (session) => {
    const other = await library.startNode(session, { roster: testRoster(crew.model.url), types: [], workspace });
    await use(other);
    await other.stop();
  });
}

const ofSession: Operations = {
  connection: () =>
    alone(async (session) => {
      const changes = session.connection()[Symbol.asyncIterator]();
      const next = changes.next();
      await session.close();
      await next;
    }),
  close: () => alone(async () => {}),
  abandon: () => alone((session) => session.abandon()),
  revive: async () => {
    await joined.revive!();
    // A read waits for the server that has been restarted.
    await joined.crew.tasks();
  },
};
const ofNode: Operations = {
  menu: () => node.menu(),
  holding: () => node.holding(),
  report: () => node.report(),
  metrics: () => node.metrics(),
  drain: () => withNode((other) => other.drain()),
  stop: () => withNode(async () => {}),
};
async function told(type: library.PrimaryEvent['type'], cause: () => void): Promise<void> {
  const events = node.primary.events(kept);
  cause();
  for await (const event of events) if (event.type === type) break;
}
const ofPrimary: Operations = {
  say: () => told('idle', () => node.primary.say('how is it going')),
  interrupt: () =>
    told('idle', () => {
      node.primary.say('how is it going');
      node.primary.interrupt();
    }),
  unanswered: () => node.primary.unanswered(),
  events: () => told('began', () => node.primary.say('how is it going')),
  rejoin: () =>
    withNode(async ({ primary }) => {
      const session = new AbortController();
      await primary.rejoin(session.signal);
      session.abort();
    }),
  stop: () => withNode(({ primary }) => primary.stop()),
};

const keep = { finishedAfterMs: null, finishedBytes: null };
const wrote = () => ended({ type: 'files', instruction: 'write', backend: 'main' });
const stored = async () => ({ name: 'a', type: 'text/plain', bytes: new Uint8Array(3) });
const context = () => ({ task: 'primary', workspace, signal: kept, idempotencyKey: 'k', artifact: stored });
const tool = (it: Tool, args: object) => async () => {
  await ofTools.writeFileTool!();
  const parsed = it.args.parse(args);
  await it.preview?.(parsed, context());
  await it.run(parsed, context());
};
const ofTools: Operations = {
  writeFileTool: () => library.writeFileTool.run({ path: 'a.txt', text: 'one\n' }, context()),
  readFileTool: tool(library.readFileTool, { path: 'a.txt' }),
  listFiles: tool(library.listFiles, {}),
  searchFiles: tool(library.searchFiles, { query: 'one' }),
  editFileTool: tool(library.editFileTool, { path: 'a.txt', old: 'one', new: 'two' }),
  readArtifactTool: tool(library.readArtifactTool, { ref: 'k3xq.1/s1-0/made-0' }),
  applyPatch: tool(library.applyPatch, { patch: '--- a.txt\n+++ a.txt\n@@ -1 +1 @@\n-one\n+two\n' }),
};
const anyTool = library.defineTool({
  name: 'x',
  description: '',
  args: z.object({}),
  effects: 'none',
  run: async () => ({ text: '' }),
});
const ofLibrary: Operations = {
  ...ofTools,
  allNodes: () => library.allNodes(joined.bus),
  collect: () => library.collect(joined.bus, { keep, dryRun: true, signal: kept }),
  planUndo: async () => library.planUndo(joined.crew, await wrote(), null),
  startUndo: async () =>
    joined.crew.result(await library.startUndo(joined.crew, await library.planUndo(joined.crew, await wrote(), null)), kept),
  joinCrew: () => alone(async () => {}),
  startNode: () => withNode(async () => {}),
  defineKind: () => library.defineKind({ name: 'x', prompt: 'x' }),
  defineTool: () => anyTool,
  foldersOf: () => library.foldersOf(crew.env),
  isTaskId: () => library.isTaskId('k3xq.0'),
  loadRoster: () => library.loadRoster(join(crew.folder, 'none.yaml')).catch(() => {}),
  openLog: () => library.openLog({ folder: foldersOf(crew.env).state, verbose: false, name: 'test' }),
  parseRoster: () => testRoster(crew.model.url),
};

/** A request as any client of the bus makes it. */
const asked = (verb: string, request: () => Promise<object> | object) => async () =>
  joined.bus.nc.request(`${namespace}.api.${verb}`, JSON.stringify(await request()), { timeout: 60_000 });
const onTask = (verb: string, more: object = {}) => asked(verb, async () => ({ task: await anEnded(), ...more }));
/** In a crew of one user no node has these verbs: test/bus/team/leftovers.test.ts has them. */
const answeredByNobody = (verb: string) => () => expect(asked(verb, () => ({}))()).rejects.toThrow(/no responders/i);
const steers = examples.SteeringMessage as readonly SteeringInput[];
const ofService: Operations = {
  dispatch: asked('dispatch', () => plain),
  ...Object.fromEntries(
    steeringTypes.map((type) => {
      const {
        type: _,
        id: __,
        expect: ___,
        ...message
      } = steers.find((it) => it.type === type) as SteeringInput & Record<string, unknown>;
      const { task, ...rest } = message as { task?: object };
      return [type, onTask(type, { ...rest, ...(task && { subTask: task }), waitMs: 30_000 })];
    }),
  ),
  status: onTask('status'),
  result: onTask('result', { waitMs: 30_000 }),
  tree: onTask('tree'),
  tasks: asked('tasks', () => ({})),
  questions: asked('questions', () => ({})),
  artifacts: onTask('artifacts'),
  artifact: asked('artifact', async () => ({ ref: await artifact() })),
  journal: onTask('journal'),
  menu: asked('menu', () => ({})),
  roster: asked('roster', () => ({})),
  machine: onTask('machine'),
  nodes: asked('nodes', () => ({})),
  costs: asked('costs', () => ({})),
  dead: asked('dead', () => ({})),
  talk: asked('talk', () => ({})),
  room: asked('room', () => ({})),
  deadRetry: asked('deadRetry', async () => ({ id: await letter() })),
  deadDrop: asked('deadDrop', async () => ({ id: await letter() })),
  order: answeredByNobody('order'),
  outcome: answeredByNobody('outcome'),
};

const groups: Readonly<Record<string, Operations>> = {
  crew: ofCrew,
  memory: ofMemory,
  letters: ofLetters,
  session: ofSession,
  node: ofNode,
  primary: ofPrimary,
  library: ofLibrary,
  service: ofService,
};

const isMethod = (of: object, name: string) => typeof Object.getOwnPropertyDescriptor(of, name)?.value === 'function';
const methodsOf = (of: object) => Object.getOwnPropertyNames(of).filter((name) => name !== 'constructor' && isMethod(of, name));
/** Classes are in the table by their methods; a schema only reads what it is given. */
const isOperation = (it: unknown) =>
  typeof it === 'function'
    ? !Object.hasOwn(it, 'prototype') || !/^class /.test(String(it))
    : typeof it === 'object' && it !== null && 'run' in it;

const namesOf = (names: readonly string[]) => names.toSorted();

test('every public operation is in the table', () => {
  const { primary, backends: _, ...ofTheNode } = node;
  const named = {
    crew: methodsOf(library.Crew.prototype),
    memory: methodsOf(Memory.prototype),
    letters: methodsOf(DeadLetters.prototype),
    session: methodsOf(joined),
    node: methodsOf(ofTheNode),
    primary: methodsOf(Object.getPrototypeOf(primary)),
    library: Object.entries(library).flatMap(([name, it]) => (isOperation(it) ? [name] : [])),
    service: Object.keys(requests),
  };
  const inTable = Object.entries(groups).map(([group, operations]) => [group, namesOf(Object.keys(operations))]);
  expect(Object.fromEntries(inTable)).toEqual(
    Object.fromEntries(Object.entries(named).map(([group, names]) => [group, namesOf(names)])),
  );
});

async function now(): Promise<string[]> {
  return [
    ...resources.now(),
    ...(openFiles() ?? []),
    ...(childProcesses() ?? []),
    ...listenersOn(kept),
    ...(await connectionsTo(crew.env)),
    ...(await consumersOf(joined.bus)),
    ...filesIn(crew.folder),
  ];
}

const times = 4;
/** A few things close a moment after the operation. */
const patient = { timeout: 20_000, interval: 100 };
const everyOperation = Object.entries(groups).flatMap(([group, operations]) =>
  Object.entries(operations).map(([name, run]) => [`${group}.${name}`, run] as const),
);

test.each(everyOperation)('%s leaves nothing behind', async (_, run) => {
  // The things that are made with the first use stay: a bucket, a stream, the subscription for replies, a connection to a model.
  await run();
  const before = await now();
  for (let i = 0; i < times; i++) await run();
  await expect.poll(async () => added(before, await now()).join('\n'), patient).toBe('');
});

/** A caller that is killed at any moment of any operation leaves at most the consumers of that moment. */
test('every consumer without a name that an operation makes is dropped by the server soon after its reader is gone', () => {
  const unnamed = made.filter(({ durable_name }) => durable_name === undefined);
  expect(unnamed.length).toBeGreaterThan(0);
  for (const { inactive_threshold = Number.POSITIVE_INFINITY } of unnamed)
    expect(inactive_threshold).toBeLessThanOrEqual(abandonedMs * 1_000_000);
});

const waitingCaller = join(import.meta.dirname, 'waiting-caller.ts');
/** Everything but what is of this process. */
const outside = async () => [...(await connectionsTo(crew.env)), ...(await consumersOf(joined.bus)), ...filesIn(crew.folder)];
const isConsumerForSeconds = (line: string) => /^consumer of .*: without a name/.test(line);

test.each(Object.keys(waits))('a caller that is killed leaves nothing but consumers for seconds: %s', async (wait) => {
  const before = await outside();
  const caller = spawn(process.execPath, [waitingCaller, wait], { env: crew.env, stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void caller.kill('SIGKILL'));
  await once(caller.stdout.setEncoding('utf8'), 'data');
  expect(added(before, await outside())).toContainEqual(expect.stringContaining('connection'));
  caller.kill('SIGKILL');
  await once(caller, 'exit');
  const left = async () => added(before, await outside());
  const longer = async () => (await left()).filter((line) => !isConsumerForSeconds(line)).join('\n');
  await expect.poll(longer, patient).toBe('');
  expect((await left()).length).toBeLessThan(4);
});
