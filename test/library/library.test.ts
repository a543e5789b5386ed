import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { readProcessNote, readRecord, serverPaths } from '../../bus/embedded/server-record.ts';
import { type CrewEvent, type CrewSession, defineKind, defineTool, joinCrew, parseRoster, startNode } from '../../index.ts';
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

test.each([
  [{ name: 'Bad Name', prompt: 'x' }, 'letters'],
  [{ name: 'supervisor', prompt: 'x' }, 'built in'],
  [{ name: 'empty', prompt: ' ' }, 'prompt'],
])('a kind like %o is refused, with what is wrong', (definition, what) => {
  expect(() => defineKind(definition)).toThrow(
    expect.objectContaining({ code: 'bad-kind', message: expect.stringContaining(what) }),
  );
});

test('a kind with two tools of one name is refused', () => {
  const tool = defineTool({ name: 'x', description: '', args: z.object({}), effects: 'none', run: async () => ({ text: '' }) });
  expect(() => defineKind({ name: 'twice', prompt: 'x', tools: [tool, tool] })).toThrow('two tools named x');
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
