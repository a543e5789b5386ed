/**
 * The tests that every real server has: the product's own model call, over HTTP, with the small model behind it. The model may say
 * anything, so they judge the protocol and not the wits. What a server can do is stated for each; docs/roster.md has it as a
 * table, and the last test compares the two.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { parseRoster } from '../../roster/load.ts';
import type { Purse } from '../../roster/purse.ts';
import { failureOf, never, replyOf, rig } from '../roster/rig.ts';
import { testCrew } from '../support/crew.ts';
import { contextTokens, type RealServer, type Start, started } from './real-server.ts';

/** The words of the table. */
export interface Found {
  /**
   * `native`: a call comes as one. `printed`: tools are taken, and the call comes as text. `in words`: tools are taken, but a
   * history with calls has to go in words. `refused`: everything about tools goes in words.
   */
  readonly tools: 'native' | 'printed' | 'in words' | 'refused';
  /** `held`: the reply cannot differ from the schema. `refused`: JSON is asked for in words. */
  readonly structured: 'held' | 'refused';
  readonly usage: 'told' | 'not told';
  /** The reaction to the name of a model that the server does not have. */
  readonly unknownModel: 'refused' | 'ignored';
  /** The reaction to a prompt that does not fit its context. `broken off`: the stream ends without a word. */
  readonly tooLong: 'refused' | 'cut' | 'broken off';
}

const tools = [
  {
    name: 'read_file',
    description: 'Reads a text file.',
    parameters: {
      type: 'object',
      properties: { path: { type: 'string', description: 'The path of the file.' } },
      required: ['path'],
      additionalProperties: false,
    },
  },
];
/** The limit ends a reply of a small model that would never end. */
const asked = (text: string) => ({ messages: [{ role: 'user' as const, text }], temperature: 0, maxOutputTokens: 200 });
/** A model goes on in the syntax in which it is told its earlier calls. */
const earlier = [
  { role: 'user' as const, text: 'Read other.txt.' },
  { role: 'assistant' as const, text: '', calls: [{ id: 'call_1', tool: 'read_file', args: { path: 'other.txt' } }] },
  { role: 'tool' as const, call: 'call_1', text: 'This file is empty.' },
  { role: 'user' as const, text: 'Now read notes.txt.' },
];
const words = (count: number): string => 'The cat sat on the mat. '.repeat(count / 6);

export function serverTests(start: Start, found: Found): void {
  let server: RealServer & AsyncDisposable;
  const stops: (() => Promise<unknown>)[] = [];
  let log = (): string => '';
  beforeAll(async () => {
    server = await started(start);
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  const env = () => ({ REAL_SERVER_KEY: server.key ?? '' });
  const entry = (more = ''): string => {
    const key = server.key === null ? '' : ', key: env:REAL_SERVER_KEY';
    return `{ base_url: "${server.baseUrl}", model: ${server.model}, tier: local, good_at: [files]${key}${more && `, ${more}`} }`;
  };
  const open = (yaml: string) => {
    const { backends, logged } = rig(yaml, { env: env() });
    stops.push(() => backends.stop());
    log = logged;
    return backends;
  };
  const one = (more = '') => open(`backends: { main: ${entry(more)} }`);
  const learnt = (backends: ReturnType<typeof one>) => backends.menu()[0]?.learnt?.map(({ what }) => what) ?? [];

  test('a reply comes in pieces, which are its text', async () => {
    const { said, reply } = await replyOf(one().call('main', asked('Count from one to ten, in words.'), never));
    expect(said.length).toBeGreaterThan(3);
    expect(said.join('')).toBe(reply.text);
    expect(reply).toMatchObject({ finish: 'stop', calls: [] });
    expect(reply).not.toHaveProperty('cut');
  });

  test(`usage is ${found.usage}`, async () => {
    const backends = one('cost: { input: 1, output: 1 }, max_output: 100');
    const settled: object[] = [];
    const purse: Purse = { reserve: async () => {}, replied: (usage) => void settled.push(usage), failed: () => {} };
    const { reply } = await replyOf(backends.call('main', asked('Say hello.'), never, purse));
    expect(settled).toEqual([reply.usage]);
    expect(reply.usage.estimatedUsd === undefined ? 'told' : 'not told').toBe(found.usage);
    expect(reply.usage.inputTokens).toBeGreaterThan(0);
    expect(reply.usage.outputTokens).toBeGreaterThan(0);
  });

  test(`a call is ${found.tools}, and its result is answered`, async () => {
    const backends = one();
    const request = { messages: earlier, tools, temperature: 0, maxOutputTokens: 200 };
    const { said, reply } = await replyOf(backends.call('main', request, never));
    expect(reply.calls).toMatchObject([{ tool: 'read_file', args: { path: 'notes.txt' } }]);
    expect(reply.finish).toBe('tools');
    expect(reply.text).toBe('');
    const isLearnt = learnt(backends).includes('tools are described in the prompt');
    const isInWords = log().includes('backend takes a simpler protocol');
    expect(isLearnt ? 'refused' : isInWords ? 'in words' : said.join('').trim() ? 'printed' : 'native').toBe(found.tools);

    const [call] = reply.calls;
    const result = [
      { role: 'assistant' as const, text: '', calls: reply.calls },
      { role: 'tool' as const, call: call!.id, text: 'The animal of the day is the heron.' },
      { role: 'user' as const, text: 'Which animal is it? Answer in words.' },
    ];
    const answer = await replyOf(backends.call('main', { ...request, messages: [...earlier, ...result] }, never));
    expect(answer.reply.calls).toEqual([]);
    expect(answer.reply.text).toMatch(/heron/i);
  });

  test(`JSON of a given shape arrives, and its schema is ${found.structured}`, async () => {
    const backends = one();
    const shape = z.object({ mood: z.enum(['glum', 'merry']), legs: z.number().int() });
    const { value } = await backends.ask(
      'main',
      { ...asked('Describe a merry dog: its mood, glum or merry, and the number of its legs.'), shape, shapeName: 'animal' },
      never,
    );
    expect(shape.safeParse(value).success).toBe(true);
    expect(learnt(backends).includes('JSON is asked for in words') ? 'refused' : 'held').toBe(found.structured);
    if (found.structured !== 'held') return;
    // Nobody would answer so, unless nothing else can be said.
    const json = { type: 'object', properties: { zq: { enum: ['xw'] } }, required: ['zq'], additionalProperties: false };
    const { reply } = await replyOf(backends.call('main', { ...asked('Good morning!'), schema: { name: 'odd', json } }, never));
    expect(JSON.parse(reply.text)).toEqual({ zq: 'xw' });
  });

  test('a call that is given up in the middle of its reply ends, and the server takes the next one', async () => {
    const backends = one('concurrency: 1');
    const giveUp = new AbortController();
    let said = '';
    const failure = await failureOf(
      (async () => {
        for await (const event of backends.call('main', asked('Tell a long story of a cat.'), giveUp.signal)) {
          if (event.type === 'said') said += event.text;
          giveUp.abort();
        }
      })(),
    );
    expect(failure.code).toBe('aborted');
    expect(said).not.toBe('');
    const { reply } = await replyOf(backends.call('main', asked('Say hello.'), never));
    expect(reply.text).not.toBe('');
  });

  test('a reply beyond its limit is marked as cut', async () => {
    const request = { ...asked('Tell a long story of a cat.'), maxOutputTokens: 12 };
    const { said, reply } = await replyOf(one().call('main', request, never));
    expect(reply).toMatchObject({ finish: 'length', cut: 'length' });
    expect(said.join('')).toBe(reply.text);
  });

  test('a reply beyond the limit of the backend is gone on with once, and is marked if that is not enough', async () => {
    const { maxOutputTokens: _, ...request } = asked('Tell a long story of a cat.');
    const { said, reply } = await replyOf(one('max_output: 12').call('main', request, never));
    expect(reply).toMatchObject({ finish: 'length', cut: 'length' });
    expect(said.join('').length).toBeGreaterThanOrEqual(reply.text.length);
    if (found.usage === 'told') expect(reply.usage.outputTokens).toBe(24);
  });

  test(`the name of a model that it does not have is ${found.unknownModel}`, async () => {
    const backends = open(`backends: { main: ${entry().replace(`model: ${server.model}`, 'model: no-such-model')} }`);
    const call = () => backends.call('main', { ...asked('Say hello.'), tools }, never);
    if (found.unknownModel === 'ignored') {
      const { text, calls } = (await replyOf(call())).reply;
      expect(text || calls).toBeTruthy();
      return;
    }
    const failure = await failureOf(call());
    expect(failure).toMatchObject({ code: 'unknown-model', retryable: false });
    expect(failure.message).toContain('no-such-model');
    expect(learnt(backends)).toEqual([]);
  });

  test(`a prompt that does not fit is ${found.tooLong}; with a known context it is not sent at all`, async () => {
    const long = asked(`Answer with one word. ${words(contextTokens * 6)}`);
    const call = () => one('max_output: 8').call('main', long, never);
    if (found.tooLong === 'cut') expect((await replyOf(call())).reply.usage.inputTokens).toBeLessThanOrEqual(contextTokens);
    else {
      const { code } = await failureOf(call());
      if (found.tooLong === 'refused') expect(code).toBe('context-too-long');
      // The stream is either broken or empty.
      else expect(['interrupted', 'unreachable']).toContain(code);
    }
    const known = one(`context: ${contextTokens}`).call('main', long, never);
    expect(await failureOf(known)).toMatchObject({ code: 'context-too-long', retryable: false });
  });

  test('a sub-task reads a file and answers', async () => {
    const crew = await testCrew();
    stops.push(() => crew.stop());
    Object.assign(crew.env, env());
    const joined = await crew.join();
    await writeFile(join(crew.folder, 'notes.txt'), 'The animal of the day is the heron.\n');
    const roster = parseRoster(
      `backends: { main: ${entry(`context: ${contextTokens}, max_output: 200, tools: false`)} }
agents:
  reader: { prompt: Your first reply is always the call of read_file. Your second reply is the answer in words., tools: [read_file], needs: [files], limits: { steps: 4 } }`,
      '/roster.yaml',
    );
    await crew.node(joined, { roster: { current: () => roster } });
    // A small model may go astray: the temperature is the server's own.
    const outcomes: unknown[] = [];
    for (let tries = 0; tries < 5; tries++) {
      const id = await joined.crew.dispatch({
        type: 'reader',
        instruction: 'Read the file notes.txt and say which animal it names.',
        workspace: crew.folder,
      });
      const done = new AbortController();
      const operator = (async () => {
        for await (const event of joined.crew.watch(id, done.signal)) {
          if (event.kind !== 'status' || !event.status.question) continue;
          const { id: question, kind, choices } = event.status.question;
          const text = kind === 'asked' ? 'Nobody is here. Read notes.txt and answer.' : (choices?.at(-1) ?? 'stop');
          await joined.crew.steer(id, { type: 'answer', id: `answer-${question}`, question, text });
        }
      })();
      const { outcome, output, failure, sources } = await joined.crew.result(id, never);
      done.abort();
      await operator;
      if (outcome === 'completed' && sources?.includes('notes.txt') && /heron/i.test(output ?? '')) return;
      outcomes.push({ outcome, output, failure, sources });
    }
    expect.fail(`no sub-task read the file and answered: ${JSON.stringify(outcomes)}`);
  });

  test('docs/roster.md has this in its table', async () => {
    const page = await readFile(join(import.meta.dirname, '../../docs/roster.md'), 'utf8');
    const rows = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim()));
    const row = rows.find((cells) => cells[1] === server.name && cells[2] === server.version);
    const { tools: calls, structured, usage, unknownModel, tooLong } = found;
    expect(row?.slice(3, 9)).toEqual(['in pieces', calls, structured, usage, unknownModel, tooLong]);
  });
}
