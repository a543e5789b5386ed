import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import type { CoxNode } from '../../../actors/node/node.ts';
import type { PrimaryEvent } from '../../../actors/primary/events.ts';
import { readState } from '../../../bus/state/state-store.ts';
import type { TaskId } from '../../../bus/task-id.ts';
import { parseRoster } from '../../../roster/load.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import type { ModelCall } from '../../support/model-server.ts';

let crew: TestCrew;
let joined: CrewSession;
let node: CoxNode;
let events: AsyncIterator<PrimaryEvent>;
const never = new AbortController().signal;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

/** A node and the events of its primary. The node works on no tasks unless `types` are given. */
async function open(options: Parameters<TestCrew['node']>[1] = {}) {
  node = await crew.node(joined, { types: [], ...options });
  events = node.primary.events(never)[Symbol.asyncIterator]();
}
/** The events of the primary until it is idle, without tokens and without the beginning and end of lines. */
async function untilIdle(): Promise<PrimaryEvent[]> {
  const told: PrimaryEvent[] = [];
  for (;;) {
    const { value, done } = await events.next();
    if (done) throw new Error('the events ended');
    if (value.type === 'idle') return told;
    if (!['token', 'began', 'ended', 'queued'].includes(value.type)) told.push(value);
  }
}
const isPrimary = (call: ModelCall) => call.texts('system').join().includes('primary agent');
const isTask = (call: ModelCall) => !isPrimary(call);
const say = (text: string): Promise<ModelCall> => {
  node.primary.say(text);
  return crew.model.next(isPrimary);
};
const reply = (text: string): PrimaryEvent => ({ type: 'reply', text, by: 'model' });
const toolsOf = ({ body }: ModelCall): string[] =>
  ((body.tools ?? []) as { function: { name: string } }[]).map(({ function: { name } }) => name);

test('a greeting is answered in one call that offers every tool and mentions no task', async () => {
  await open();
  const call = await say('Hi!');
  expect(toolsOf(call).sort()).toEqual(
    [
      'answer_question',
      'cancel_task',
      'check_task_status',
      'delegate_many',
      'dispatch_task',
      'get_task_result',
      'list_backends',
      'pause_task',
      'raise_budget',
      'resume_task',
      'recall',
      'remember',
      'steer_task',
      'swap_model',
    ].sort(),
  );
  expect(call.texts('system')[0]).toMatch(/Tasks now:\nnone$/);
  call.reply('Hello!');
  expect(await untilIdle()).toEqual([reply('Hello!')]);
  expect(await joined.crew.tasks()).toEqual([]);
});

test('work is dispatched as a goal in its workspace, and is in the prompt of the next call', async () => {
  await open();
  (await say('read README.md')).call('dispatch_task', { instruction: 'read README.md' });
  const next = await crew.model.next();
  const [task] = await joined.crew.tasks();
  expect(task).toMatchObject({ type: 'supervisor', instruction: 'read README.md' });
  expect((await readState(joined.bus, task!.id))?.record.spec.workspace).toBe(crew.folder);
  expect(next.texts('tool')).toEqual([`${task!.id} is on it.`]);
  expect(next.texts('system')[0]).toContain(`- ${task!.id} (supervisor) waits for a worker: read README.md`);
  next.reply('Under way.');
  expect(await untilIdle()).toEqual([
    { type: 'dispatched', id: task!.id, instruction: 'read README.md' },
    { type: 'did', text: `${task!.id} is on it.` },
    reply('Under way.'),
  ]);
});

test('a second line waits for the answer to the first, and each has its own answer', async () => {
  await open();
  const first = await say('count to ten');
  first.say('one, two');
  node.primary.say('and backwards');
  expect(node.primary.unanswered().map(({ text }) => text)).toEqual(['count to ten', 'and backwards']);
  first.say(', three').end();
  const second = await crew.model.next();
  expect(second.texts('user')).toEqual(['count to ten', 'and backwards']);
  expect(second.texts('assistant')).toEqual(['one, two, three']);
  second.reply('three, two, one');
  expect((await untilIdle()).map((event) => 'text' in event && event.text)).toEqual(['one, two, three', 'three, two, one']);
});

test('a line that goes first interrupts the answer and passes the lines that wait', async () => {
  await open();
  const first = await say('a story');
  first.say('Once');
  node.primary.say('later');
  node.primary.say('stop', { first: true });
  expect(await first.closed).toBe(true);
  const second = await crew.model.next();
  expect(second.texts('user').at(-1)).toBe('stop');
  second.reply('Stopped.');
  const third = await crew.model.next();
  expect(third.texts('user').at(-1)).toBe('later');
  third.reply('Later.');
  await untilIdle();
});

test('the primary waits for a steer’s receipt, and answers a line that came meanwhile after it', async () => {
  await open();
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Fill the form' });
  const steers = joined.bus.nc.subscribe(joined.bus.subjects.of(id, 'steering'), { max: 1 });
  (await say(`my work email please, ${id}`)).call('steer_task', { id, text: 'use my work email' });
  for await (const _ of steers) break;
  node.primary.say('thanks');
  // The task is claimed only now, and its first model call carries the steer.
  await crew.node(await crew.join('worker'), { types: ['reasoning'] });
  expect((await crew.model.next(isTask)).texts('user')).toEqual(['Fill the form\n\nuse my work email']);
  const next = await crew.model.next(isPrimary);
  expect(next.texts('tool')).toEqual([`${id} has taken it up at step 1.`]);
  expect(next.texts('user').at(-1)).not.toBe('thanks');
  next.reply('It knows.');
  const last = await crew.model.next(isPrimary);
  expect(last.texts('user').at(-1)).toBe('thanks');
  last.reply('You are welcome.');
  await untilIdle();
});

test('an open question is shown and answered by its id, and the result is read from the bus', async () => {
  await open({ types: ['reasoning'] });
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Book a table' });
  (await crew.model.next()).call('ask_operator', { question: 'For how many?' });
  for await (const event of joined.crew.watch(id, never)) if (event.kind === 'status' && event.status.question) break;
  const asked = await say('for four');
  expect(asked.texts('system')[0]).toContain('question q1: "For how many?"');
  asked.call('answer_question', { id, question: 'q1', text: 'four' });
  (await crew.model.next(isTask)).reply('Booked for four');
  await joined.crew.result(id, never);
  (await crew.model.next(isPrimary)).call('get_task_result', { id });
  const last = await crew.model.next(isPrimary);
  expect(last.texts('tool')[1]).toBe(`${id} has found:\nBooked for four`);
  last.reply('It is booked.');
  await untilIdle();
});

test('the model reads why a tool call failed: unknown task, bad arguments, unknown tool, bad backend, early result', async () => {
  await open();
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Wait' });
  let call = await say('try things');
  const results: string[] = [];
  for (const [tool, args] of [
    ['steer_task', { id: 'nobody.0', text: 'x' }],
    ['steer_task', { id }],
    ['fly', {}],
    ['swap_model', { id, backend: 'nope' }],
    ['get_task_result', { id }],
    ['dispatch_task', { instruction: 'x', type: 'wizard' }],
  ] as const) {
    call.call(tool, args);
    call = await crew.model.next();
    results.push(call.texts('tool').at(-1)!);
  }
  call.reply('None of it worked.');
  await untilIdle();
  expect(results).toEqual([
    `failed: there is no task nobody.0; unfinished tasks are ${id}`,
    expect.stringMatching(/arguments don't fit steer_task: [\s\S]*text/),
    expect.stringContaining('there is no tool fly; there are dispatch_task'),
    expect.stringContaining('there is no backend nope; there are main, other'),
    expect.stringContaining(`${id} has no result yet.`),
    expect.stringMatching(/arguments don't fit dispatch_task: [\s\S]*supervisor/),
  ]);
  expect(await joined.crew.tasks()).toHaveLength(1);
});

test('several pieces of work become one goal with a sub-task each, and no model plans or reduces it', async () => {
  await open({ types: ['supervisor', 'reasoning'] });
  (await say('think of a and of b')).call('delegate_many', { instructions: ['Think of a', 'Think of b'], type: 'reasoning' });
  const parts = [await crew.model.next(isTask), await crew.model.next(isTask)];
  for (const part of parts) part.reply(part.texts('user')[0]!.toUpperCase());
  (await crew.model.next(isPrimary)).reply('Under way.');
  const [dispatched] = await untilIdle();
  const result = await joined.crew.result((dispatched as { id: string }).id, never);
  expect(result.output).toMatch(/THINK OF A[\s\S]*THINK OF B/);
});

test('the primary cancels a task when it is told to', async () => {
  await open({ types: ['reasoning'] });
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Think for ever' });
  const thinking = await crew.model.next();
  (await say('stop it, whatever it is')).call('cancel_task', { id });
  expect(await thinking.closed).toBe(true);
  const next = await crew.model.next();
  expect(next.texts('tool')).toEqual([`${id} is cancelled.`]);
  next.reply('Stopped.');
  await untilIdle();
});

describe('acts that code decides', () => {
  const texts = async () => (await untilIdle()).map((event) => ('text' in event ? `${event.type}: ${event.text}` : event.type));
  /** Two tasks that think for ever. */
  async function two() {
    await open({ types: ['reasoning'] });
    const ids: TaskId[] = [];
    for (const instruction of ['Translate the letter', 'Write a poem']) {
      ids.push(await joined.crew.dispatch({ type: 'reasoning', instruction }));
      await crew.model.next(isTask);
    }
    return ids as [TaskId, TaskId];
  }

  test('stop everything lists what that is, and a yes cancels all of it without a model', async () => {
    const [a, b] = await two();
    node.primary.say('stop everything');
    expect(await texts()).toEqual([
      `reply: This cancels 2 tasks:\n- ${a} (reasoning) “Translate the letter”\n- ${b} (reasoning) “Write a poem”\nSay y to cancel them all.`,
    ]);
    expect((await joined.crew.tasks()).map(({ outcome }) => outcome)).toEqual([null, null]);
    node.primary.say('y');
    expect(await texts()).toEqual([`did: ${a} is cancelled.`, `did: ${b} is cancelled.`]);
    expect((await joined.crew.tasks()).map(({ outcome }) => outcome)).toEqual(['cancelled', 'cancelled']);
    expect(crew.model.calls.filter(isPrimary)).toEqual([]);
  });

  test('a no leaves everything as it is, and a later yes does nothing', async () => {
    await two();
    node.primary.say('alles pausieren');
    expect((await texts())[0]).toMatch(/^reply: This pauses 2 tasks:/);
    node.primary.say('nein');
    expect(await texts()).toEqual(['reply: Nothing was done.']);
    (await say('ja')).reply('What?');
    await untilIdle();
    expect((await joined.crew.tasks()).every(({ state }) => state === 'thinking')).toBe(true);
  });

  test('several acts in one line are all done, each on the task that the words name', async () => {
    const [a, b] = await two();
    node.primary.say('pause the translation and cancel the second one');
    expect(await texts()).toEqual([expect.stringMatching(`^did: ${a} is paused`), `did: ${b} is cancelled.`]);
    expect((await joined.crew.status(a))?.paused).toBe(true);
  });

  test('words that fit two tasks are asked about, and a number answers', async () => {
    const [a, b] = await two();
    node.primary.say('cancel it');
    expect(await texts()).toEqual([
      `reply: Which one do you mean?\n1. ${a} (reasoning) “Translate the letter”\n2. ${b} (reasoning) “Write a poem”\nSay its number.`,
    ]);
    node.primary.say('2');
    expect(await texts()).toEqual([`did: ${b} is cancelled.`]);
    expect((await joined.crew.status(a))?.outcome).toBeNull();
  });

  test('the result of the second one comes from that task, with its id', async () => {
    await open({ types: ['reasoning'] });
    const ids = [];
    for (const name of ['one', 'two']) {
      const id = await joined.crew.dispatch({ type: 'reasoning', instruction: `Look at ${name}` });
      (await crew.model.next(isTask)).reply(`found ${name}`);
      await joined.crew.result(id, never);
      ids.push(id);
    }
    node.primary.say('what did the second goal find?');
    expect(await texts()).toEqual([`reply: ${ids[1]} has found:\nfound two`]);
  });

  test('a backend that there is not gets what there is, and nothing is told as done', async () => {
    await two();
    node.primary.say('use gamma for the poem');
    expect(await texts()).toEqual(['reply: failed: there is no backend gamma; there are main, other']);
    node.primary.say('use other for the poem');
    expect((await untilIdle())[0]?.type).toBe('did');
  });

  test('a model’s call may name a task by the operator’s words, and an unsure one is asked about by code', async () => {
    const [, b] = await two();
    (await say('make it rhyme, the poem I mean')).call('steer_task', { id: 'the poem', text: 'make it rhyme' });
    expect((await crew.model.next(isTask)).texts('user').join()).toContain('make it rhyme');
    const next = await crew.model.next(isPrimary);
    expect(next.texts('tool')[0]).toContain(b);
    next.call('cancel_task', { id: 'my lost letter' });
    expect((await texts()).at(-1)).toMatch(/^reply: Do you mean .*Translate the letter/);
  });
});

test('notes outlive a primary and are read by sub-agents whose kind has the tool', async () => {
  const rosterYaml = `  noting: { prompt: You note., tools: [recall] }`;
  await open({ roster: { current: () => withAgents(rosterYaml) }, types: ['noting'] });
  (await say('my work email is anna@example.org')).call('remember', { key: 'Work email', text: 'anna@example.org' });
  const noted = await crew.model.next();
  expect(noted.texts('tool')).toEqual(['Noted as work-email.']);
  noted.reply('Noted.');
  await untilIdle();
  const id = await joined.crew.dispatch({ type: 'noting', instruction: 'Find the email' });
  (await crew.model.next()).call('recall', { query: 'email' });
  const recalled = await crew.model.next();
  expect(recalled.texts('tool')).toEqual(['- work-email: anna@example.org (noted by primary)']);
  recalled.reply('done');
  await joined.crew.result(id, never);
});

test('an interrupt ends the call in flight and reports idle', async () => {
  await open();
  expect(node.primary.interrupt()).toBe(false);
  const call = await say('tell me a long story');
  call.say('Once upon');
  while ((await events.next()).value?.type !== 'token');
  expect(node.primary.interrupt()).toBe(true);
  expect(await call.closed).toBe(true);
  expect(await untilIdle()).toEqual([reply('Once upon …')]);
  expect(node.primary.interrupt()).toBe(false);
  const next = await say('a short one');
  expect(next.texts('user')).toEqual(['tell me a long story', 'Go on.', 'a short one']);
  next.reply('The end.');
  await untilIdle();
});

test('the primary must answer without tools after eight model calls', async () => {
  await open();
  let call = await say('look for it');
  for (let n = 1; n < 8; n++) {
    expect(toolsOf(call)).not.toEqual([]);
    call.call('recall', { query: `try ${n}` });
    call = await crew.model.next();
  }
  expect(toolsOf(call)).toEqual([]);
  call.reply('I have not found it.');
  expect(await untilIdle()).toEqual([reply('I have not found it.')]);
  expect(crew.model.calls).toHaveLength(8);
});

test('a failure of the backend is reported, and the next utterance is answered', async () => {
  await open();
  (await say('hello')).fail(401, 'no such key');
  expect(await untilIdle()).toEqual([{ type: 'failed', error: { code: 'bad-key', message: expect.any(String) } }]);
  (await say('again?')).reply('Here I am.');
  expect(await untilIdle()).toEqual([reply('Here I am.')]);
});

test('another backend answers when the first fails before it has said anything', async () => {
  await open({ roster: { current: () => withAgents('  reasoning: { prompt: You think. }', true) } });
  const first = await say('hello');
  first.fail(503);
  const second = await crew.model.next();
  expect([first.body.model, second.body.model].sort()).toEqual(['other', 'scripted']);
  second.reply('Hello!');
  expect(await untilIdle()).toEqual([reply('Hello!')]);
});

test('a stop ends the call in flight and the events, and later utterances are ignored', async () => {
  await open();
  const call = await say('hello');
  await node.primary.stop();
  await node.primary.stop();
  expect(await call.closed).toBe(true);
  node.primary.say('anyone?');
  expect((await events.next()).value).toMatchObject({ type: 'began' });
  expect(await events.next()).toEqual({ value: undefined, done: true });
  expect(node.primary.interrupt()).toBe(false);
  expect(crew.model.calls).toHaveLength(1);
});

const withAgents = (agents: string, otherCan = false) =>
  parseRoster(
    `backends:
  main: { base_url: "${crew.model.url}", model: scripted, tier: local, can_orchestrate: true }
  other: { base_url: "${crew.model.url}", model: other, tier: local, can_orchestrate: ${otherCan} }
agents:
${agents}
limits: { retries: 0 }
`,
    '/roster.yaml',
  );
