/** The replay of a task whose worker was killed, and which another worker took over, shows each step once. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import { askNode } from '../../bus/ask-node.ts';
import type { JournalReply } from '../../bus/journal/journal-messages.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import type { ModelCall } from '../support/model-server.ts';
import { never } from '../support/watching.ts';
import { Nodes } from './nodes.ts';
import { Outside } from './outside.ts';

let crew: TestCrew;
let joined: CrewSession;
let outside: Outside;
let nodes: Nodes;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
  outside = await Outside.start();
  nodes = new Nodes(crew, outside);
});
afterEach(async () => {
  await nodes.stop();
  await outside.stop();
  await crew.stop();
});

const photographer = (calls: ModelCall[]) => (call: ModelCall) => {
  calls.push(call);
  if (call.texts('tool').length > 1) call.reply('two pictures');
  else call.call('look', { of: `house ${call.texts('tool').length}` });
};

/** Before and after each of the first commits, their statuses and their calls. */
const points = [
  'state:before#1',
  'state:after#1',
  'status:before#1',
  'tool:after#1',
  'status:before#2',
  'state:before#3',
  'status:after#3',
];

test.each(points)('a worker is killed at %s', async (crashAt) => {
  const calls: ModelCall[] = [];
  crew.model.answer(photographer(calls));
  const first = await nodes.start('first', { COX_CRASH_AT: crashAt });
  const id = await joined.crew.dispatch({ type: 'camera', instruction: 'take it' });
  await first.gone;
  await nodes.start('second');
  await joined.crew.result(id, never);
  const { steps, outcome } = await askNode<JournalReply>(joined.bus, 'journal', { task: id, prompts: 'whole' });
  expect(outcome).toBe('completed');
  const numbers = steps.map(({ step }) => step);
  expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
  expect(steps.filter(({ outcome }) => outcome === 'replied').map(({ reply }) => reply?.calls?.length ?? reply?.text)).toEqual([
    1,
    1,
    'two pictures',
  ]);
  // A worker that had made no commit leaves nothing that was lost.
  const restarts = steps.flatMap(({ why }) => why.filter(({ kind }) => kind === 'restart'));
  expect(restarts.map(({ text }) => text)).toEqual(crashAt === 'state:before#1' ? [] : ['second took it over from first']);
  // The rebuilt prompt of each step is one of the requests that the model has got.
  const sent = calls.map(({ messages }) => JSON.stringify(messages.map(({ role, content }) => [role, content ?? ''])));
  for (const { prompt } of steps) {
    expect(prompt?.is).toBe('as-sent');
    expect(sent).toContain(JSON.stringify(prompt!.messages.map(({ role, text }) => [role, text])));
  }
});

test.each(['state:before#1', 'state:after#1', 'status:before#1'])(
  'a fork whose worker is killed at %s keeps its conversation',
  async (crashAt) => {
    const calls: ModelCall[] = [];
    crew.model.answer(photographer(calls));
    const earlier = await nodes.start('earlier');
    const id = await joined.crew.dispatch({ type: 'camera', instruction: 'take it' });
    await joined.crew.result(id, never);
    await earlier.kill();
    const fork = await joined.crew.fork(id, { step: 2, with: 'and now the garden' });
    const first = await nodes.start('first', { COX_CRASH_AT: crashAt });
    await first.gone;
    await nodes.start('second');
    expect((await joined.crew.result(fork, never)).output).toBe('two pictures');
    const { steps, forkOf } = await askNode<JournalReply>(joined.bus, 'journal', { task: fork, prompts: 'whole' });
    expect(forkOf).toEqual({ id, step: 2 });
    const [, instruction, , result, said] = steps[0]!.prompt!.messages;
    expect([instruction!.text, result!.role, said!.text]).toEqual(['take it', 'tool', 'and now the garden']);
  },
);
