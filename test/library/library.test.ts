import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { readProcessNote, readRecord, serverPaths } from '../../bus/embedded/server-record.ts';
import {
  type CoxError,
  type CrewEvent,
  type CrewSession,
  defineKind,
  defineTool,
  joinCrew,
  type KindDefinition,
  parseRoster,
  type StartOptions,
  startNode,
  type Tool,
} from '../../index.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';

const root = join(import.meta.dirname, '../..');
const never = new AbortController().signal;
let crew: TestCrew;
beforeEach(async () => {
  crew = await testCrew();
});
afterEach(() => crew.stop());

const rosterText = () => `backends:
  main: { base_url: "${crew.model.url}", model: scripted, tier: local, can_orchestrate: true }
`;

test('a program defines a kind with a tool, starts a node, dispatches, watches, steers and gets the result', async () => {
  const booked: string[] = [];
  const keys = new Set<string>();
  const book = defineTool({
    name: 'book_room',
    description: 'Books a room.',
    args: z.object({ name: z.string(), beds: z.number().int().min(1) }),
    effects: 'writes',
    run: async ({ name, beds }, { idempotencyKey }) => {
      booked.push(`${name} ${beds}`);
      keys.add(idempotencyKey);
      return { text: 'booked', artifacts: ['booking-1'] };
    },
  });
  const porter = defineKind({ name: 'porter', prompt: 'You book rooms.', tools: [book], limits: { steps: 5 } });
  const joined: CrewSession = await joinCrew({ env: crew.env });
  const node = await startNode(joined, { roster: parseRoster(rosterText(), '/roster.yaml'), kinds: [porter], types: ['porter'] });
  try {
    const id = await joined.crew.dispatch({ type: 'porter', instruction: 'Book for Anna' });
    const first = await crew.model.next();
    expect(first.texts('system')).toEqual(['You book rooms.']);
    const heard = firstLive(joined.crew.watch(id, never));
    first.say('One bed');
    expect(await heard).toMatchObject({ id, live: { type: 'token', text: 'One bed' } });
    const sent = await joined.crew.steer(id, { type: 'steer', text: 'two beds' });
    const second = await crew.model.next();
    expect(second.texts('user')).toEqual(['Book for Anna', 'two beds']);
    second.call('book_room', { name: 'Anna', beds: 0 });
    const third = await crew.model.next();
    expect(third.texts('tool')[0]).toContain('beds');
    third.call('book_room', { name: 'Anna', beds: 2 });
    (await crew.model.next()).reply('Two beds for Anna.');
    const fates = [];
    for await (const { fate } of joined.crew.receipts(id, sent, never)) fates.push(fate);
    expect(fates.at(-1)).toBe('applied');
    const result = await joined.crew.result(id, never);
    expect(result).toMatchObject({
      outcome: 'completed',
      output: 'Two beds for Anna.',
      salvage: { artifacts: ['booking-1'], steps: 4 },
    });
    expect(booked).toEqual(['Anna 2']);
    expect([...keys][0]).toContain(id);
  } finally {
    await node.stop();
    await joined.close();
  }
});

async function firstLive(events: AsyncIterable<CrewEvent>): Promise<CrewEvent> {
  for await (const event of events) if (event.kind === 'live') return event;
  throw new Error('the watch ended');
}

test('the example in docs/library.md runs as it is', async () => {
  const [, example] = /```ts\n([\s\S]*?)```/.exec(await readFile(join(root, 'docs/library.md'), 'utf8'))!;
  const program = join(crew.folder, 'example.ts');
  await writeFile(
    program,
    example!
      .replace("'coxswain'", JSON.stringify(pathToFileURL(join(root, 'index.ts')).href))
      .replace("'zod'", JSON.stringify(import.meta.resolve('zod'))),
  );
  const roster = join(crew.folder, 'roster.yaml');
  await writeFile(roster, rosterText());
  crew.model.answer((call) => {
    // Before the correction the model does not reply, and the correction aborts that call.
    if (!call.texts('user').join().includes('French')) return;
    if (call.texts('tool').length === 0) call.call('look_up_stock', { article: 'lamp' });
    else call.reply(call.texts('tool')[0] === 'lamp: 7 pieces' ? 'Il y a sept lampes.' : 'Je ne sais pas.');
  });
  const env = { ...crew.env, COX_ROSTER: roster };
  const { stdout } = await promisify(execFile)(process.execPath, [program], { cwd: crew.folder, env });
  expect(stdout.trim().split('\n')).toEqual(['accepted', 'queued', 'applied', 'completed Il y a sept lampes.']);
});

const fine = { name: 'x', description: '', args: z.object({}), effects: 'none', run: async () => ({ text: '' }) } as const;

test.each<[object, string]>([
  [{ name: 'Bad Name', prompt: 'x' }, 'letters'],
  [{ name: 'supervisor', prompt: 'x' }, 'built in'],
  [{ name: 'empty', prompt: ' ' }, 'prompt'],
  [{ name: 'typo', promt: 'x' }, 'promt'],
  [{ name: 'none', prompt: 'x', limits: { steps: -1 } }, 'limits.steps'],
  [{ name: 'nan', prompt: 'x', limits: { failures: Number.NaN } }, 'limits.failures'],
  [{ name: 'half', prompt: 'x', limits: { repeats: 1.5 } }, 'limits.repeats'],
  [{ name: 'endless', prompt: 'x', limits: { costUsd: Number.POSITIVE_INFINITY } }, 'limits.costUsd'],
  [{ name: 'unknown', prompt: 'x', limits: { step: 5 } }, 'step'],
  [{ name: 'dull', think: 'x' }, 'think'],
  [{ name: 'unchecked', prompt: 'x', check: true }, 'check'],
  [{ name: 'toolless', prompt: 'x', tools: [{}] }, 'a tool has the name'],
  [{ name: 'asking', prompt: 'x', tools: [{ ...fine, name: 'ask_operator' }] }, 'built in'],
  [{ name: 'twice', prompt: 'x', tools: [fine, fine] }, 'two tools named x'],
])('a kind like %o is refused, with what is wrong', (definition, what) => {
  expect(() => defineKind(definition as KindDefinition)).toThrow(
    expect.objectContaining({ code: 'bad-kind', message: expect.stringContaining(what) }),
  );
});

test.each<[object, string]>([
  [{ name: 'ask_operator' }, 'built in'],
  [{ asks: true }, 'built in'],
  [{ name: 'no spaces' }, '"no spaces"'],
  [{ name: '1st' }, 'beginning with a letter'],
  [{ name: 'x'.repeat(65) }, '64'],
  [{ name: undefined }, 'has the name undefined'],
  [{ effects: undefined }, 'none, idempotent, writes'],
  [{ effects: 'some' }, 'none, idempotent, writes'],
  [{ description: undefined }, 'description'],
  [{ run: undefined }, 'no function run'],
  [{ preview: 'x' }, 'preview of x is not a function'],
  [{ target: 5 }, 'target of x is not a function'],
  [{ args: {} }, 'not a zod schema'],
  [{ args: z.string() }, 'must be an object'],
  [{ args: z.object({ on: z.date() }) }, 'Date cannot be represented'],
  [{ args: z.object({ n: z.bigint() }) }, 'BigInt cannot be represented'],
  [{ args: z.object({ n: z.map(z.string(), z.string()) }) }, 'Map cannot be represented'],
  [{ args: z.object({ n: z.custom() }) }, 'Custom types cannot be represented'],
  [{ args: z.object({ n: z.string().transform(Number) }) }, 'change what they are given'],
  [{ args: z.object({ n: z.preprocess(Number, z.number()) }) }, 'change what they are given'],
  [{ args: z.object({ n: z.array(z.object({ on: z.stringbool() })) }) }, 'change what they are given'],
])('a tool with %o is refused, with what is wrong', (part, what) => {
  expect(() => defineTool({ ...fine, ...part } as Tool)).toThrow(
    expect.objectContaining({ code: 'bad-tool', message: expect.stringContaining(what) }),
  );
});

test.each<[StartOptions, string, string]>([
  [{ types: ['fils'] }, 'unknown-type', 'Did you mean files? There are: supervisor, files'],
  [{ types: ['files', 'nothing-like-it'] }, 'unknown-type', 'There are: supervisor, files'],
  [{ slots: Number.NaN }, 'bad-options', 'slots'],
  [{ leaseMs: -1 }, 'bad-options', 'leaseMs'],
  [{ workspace: 'relative' }, 'bad-options', 'workspace'],
  [{ kinds: [{ name: 'x', prompt: '', tools: [], needs: [], limits: {} as never }] }, 'bad-kind', 'prompt'],
])('a node with the options %o is not started, and says why', async (options, code, words) => {
  const joined = await joinCrew({ env: crew.env });
  const roster = parseRoster(`${rosterText()}agents: { files: { prompt: x } }`, '/roster.yaml');
  try {
    const refused = await startNode(joined, { roster, ...options }).catch((cause: unknown) => cause);
    expect(refused).toMatchObject({ code });
    const { message, hint } = refused as CoxError;
    expect(`${message} ${hint}`).toContain(words);
  } finally {
    await joined.close();
  }
});

test('a wait for a result that is aborted says that the task goes on, and why the wait ended', async () => {
  const joined = await joinCrew({ env: crew.env });
  try {
    const id = await joined.crew.dispatch({ type: 'nobody', instruction: 'x' });
    const leave = new AbortController();
    const waiting = joined.crew.result(id, leave.signal);
    leave.abort(new Error('enough'));
    await expect(waiting).rejects.toMatchObject({
      code: 'wait-ended',
      message: expect.stringMatching(/goes on/),
      cause: { message: 'enough' },
    });
    expect(await joined.crew.status(id)).toMatchObject({ state: 'idle' });
  } finally {
    await joined.close();
  }
});

test('an embedded server that dies again before a session has reconnected to it is started again', async () => {
  const joined = await joinCrew({ env: crew.env });
  const running = () => readProcessNote(serverPaths(joined.folders))?.pid;
  const recorded = () => readRecord(serverPaths(joined.folders));
  try {
    for (let i = 0; i < 5; i++) {
      const pid = running()!;
      process.kill(pid, 'SIGKILL');
      for (let it = recorded(); it.kind !== 'record' || it.record.pid === pid; it = recorded()) await setImmediate();
    }
    expect(await joined.crew.tasks()).toEqual([]);
  } finally {
    await joined.close();
  }
});
