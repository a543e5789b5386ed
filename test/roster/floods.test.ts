/** Replies that never end, in each part that a reply has. Each fails as a bad reply once it is longer than any good one. */
import { afterEach, expect, test } from 'vitest';
import type { ModelError } from '../../roster/errors.ts';
import { delta, never, oneBackend, type Reply, rig, scriptedServer, user } from './rig.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});
const tools = [
  { name: 'read_file', description: 'Reads a file.', parameters: { type: 'object', properties: { path: { type: 'string' } } } },
];

/** The text that a call streams before it fails, and its error. */
async function heardOf(reply: Reply, { limits = 'retries: 0', more = '' } = {}): Promise<{ said: string; error: ModelError }> {
  const server = await scriptedServer(() => reply);
  const { backends } = rig(`${oneBackend(server.url, more)}\nlimits: { ${limits} }`);
  stops.push(
    () => server.stop(),
    () => backends.stop(),
  );
  let said = '';
  try {
    for await (const event of backends.call('main', { ...user('x'), tools }, never))
      if (event.type === 'said') said += event.text;
  } catch (error) {
    return { said, error: error as ModelError };
  }
  throw new Error('the call did not fail');
}

const x = (count: number) => 'x'.repeat(count);
const many = (count: number, chunk: (n: number) => object): object[] => Array.from({ length: count }, (_, n) => chunk(n));
const call = (fields: object, index = 0) => delta({ tool_calls: [{ index, ...fields }] });

test.each<[string, Reply['chunks'] & object, number, string?]>([
  ['text in small pieces', many(5_500, () => delta({ content: x(200) })), 1_000_000],
  ['text in large pieces', many(3, () => delta({ content: x(400_000) })), 800_000],
  ['thoughts', many(5_500, () => delta({ reasoning_content: x(200) })), 0],
  ['thoughts in the text', [delta({ content: '<think>' }), ...many(5_500, () => delta({ content: x(200) }))], 0],
  ['a refusal', many(5_500, () => delta({ refusal: x(200) })), 0],
  ['arguments', many(5_500, (n) => call({ function: { ...(n === 0 && { name: 'read_file' }), arguments: x(200) } })), 0],
  [
    'arguments that could be whole at each piece',
    many(5_500, (n) => call({ id: 'a', function: { name: 'read_file', arguments: `${n === 0 ? '["' : ''}${x(200)}","` } })),
    0,
  ],
  ['names', many(200, (n) => call({ function: { name: x(8_000), arguments: '{}' } }, n)), 0],
  ['ids', many(200, (n) => call({ id: `${x(8_000)}${n}`, function: { name: 'read_file', arguments: '{}' } }, n)), 0],
  ['calls', many(300, (n) => call({ id: `c${n}`, function: { name: 'read_file', arguments: '{}' } }, n)), 0],
  ['one event', ['data: {"a":"', ...Array<string>(9).fill(x(1_000_000))], 0],
  ['lines of one event', Array<string>(90).fill(`data: ${x(100_000)}\n`), 0],
  ['a body that is one JSON value', ['{"a":"', ...Array<string>(9).fill(x(1_000_000))], 0],
  [
    'an answer in the form for models without function calling',
    [delta({ content: '{"answer":"' }), ...many(5_500, () => delta({ content: x(200) }))],
    999_800,
    'tools: false',
  ],
  [
    'a call in that form',
    [delta({ content: '{"tool":"read_file","args":{"path":"' }), ...many(5_500, () => delta({ content: x(200) }))],
    0,
    'tools: false',
  ],
])('a reply that never ends in %s is given up, and what was heard is kept', async (_, chunks, heard, more = '') => {
  const { said, error } = await heardOf({ chunks, ending: 'hang' }, { more });
  expect(error).toMatchObject({ code: 'bad-reply', message: expect.stringMatching(/longer than|more than 256 calls/) });
  expect(said.length).toBe(heard);
});

test.each<[string, Reply['chunks'] & object]>([
  ['comments', Array<string>(2_000).fill(': PROCESSING\n\n')],
  ['blanks', Array<string>(2_000).fill('   \n')],
  ['a line of no protocol', Array<string>(2_000).fill('xxx')],
  ['usage', many(2_000, () => ({ choices: [], usage: {} }))],
  ['words, slowly', many(2_000, () => delta({ content: 'x' }))],
])('a reply that is longer under way than a call may take is given up: %s', async (_, chunks) => {
  const reply: Reply = { chunks, paceMs: 1, ending: 'hang' };
  const { error } = await heardOf(reply, { limits: 'retries: 0, call_seconds: 0.2' });
  expect(error).toMatchObject({ code: 'bad-reply', message: expect.stringContaining('took longer than 0.2 s') });
});
