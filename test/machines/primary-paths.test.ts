/**
 * The primary on a path for every edge of a projection of its context; the paths are generated from the chart when the test runs.
 * The contract below is written from the promises in docs/architecture.md and never from the chart’s own output.
 */
import { expect, test } from 'vitest';
import { createActor, type EventObject, fromCallback, type InspectionEvent, type SnapshotFrom } from 'xstate';
import type { Calls, Message } from '../../machines/conversation.ts';
import { maxModelCalls, primary } from '../../machines/primary.ts';
import type { Line, PrimaryActInput, PrimaryMachineEvent, PrimaryThinkInput, Told } from '../../machines/primary-context.ts';
import { allTransitions, transitionKey } from '../models/coverage.ts';
import { edgePaths } from '../models/explore.ts';

type Snap = SnapshotFrom<typeof primary>;
type Event = PrimaryMachineEvent | { type: `xstate.error.actor.${'think' | 'act'}`; error: unknown; actorId: string };
const usage = { inputTokens: 1, outputTokens: 1, costUsd: 0 };

function alphabet({ value, context: { replies, calls } }: Snap): Event[] {
  const call = (n: number, at: unknown): Calls[number] => ({
    id: `p${replies}-${n}`,
    tool: 't',
    args: { at },
    effects: 'writes',
  });
  const replied = (text: string, ...asked: Calls): Event => ({ type: 'MODEL_REPLIED', text, calls: asked, usage, backend: 'b' });
  const always: Event[] = [
    { type: 'SAY', line: word },
    { type: 'SAY', line: word, isFirst: true },
    { type: 'HEARD', messages: elsewhere },
    { type: 'INTERRUPT' },
  ];
  if (value === 'thinking')
    return [
      ...always,
      { type: 'MODEL_SAID', text: 'heard' },
      replied('answer'),
      replied(''),
      replied('', call(0, replies)),
      replied('on it', call(0, replies), call(1, replies)),
      replied('', call(0, 'the same')),
      { type: 'DECIDED', text: 'by code', calls: [] },
      { type: 'DECIDED', text: '', calls: [call(0, replies)] },
      { type: 'MODEL_FAILED', error: { code: 'timeout', message: 'slow', retryable: true } },
      { type: 'xstate.error.actor.think', error: new Error('boom'), actorId: 'think' },
    ];
  if (value === 'acting')
    return [
      ...always,
      { type: 'TOOL_RETURNED', call: calls[0]!.id, text: 'result' },
      { type: 'TOOL_RETURNED', call: calls[0]!.id, text: 'closed', closes: true },
      { type: 'TOOL_RETURNED', call: calls[0]!.id, text: 'done', closes: true, did: true },
      { type: 'TOOL_RETURNED', call: 'another', text: 'stale', did: true },
      { type: 'xstate.error.actor.act', error: new Error('boom'), actorId: 'act' },
    ];
  return always;
}
/** The judge replaces it by a line that occurs once on the path. */
const word: Line = { id: '', text: '' };
const elsewhere: readonly Message[] = [
  { role: 'user', text: 'elsewhere' },
  { role: 'assistant', text: 'answered there' },
];

const project = ({ value, context: { calls, waiting, heard, partial, closing, step, messages } }: Snap): string => {
  const asked = messages.findLast((message) => message.role === 'assistant');
  const same = asked?.role === 'assistant' && JSON.stringify(asked.calls ?? '').includes('the same');
  return [
    value,
    calls.length,
    Math.min(waiting.length, 2),
    heard.length > 0,
    partial !== '',
    closing?.length,
    Math.min(step, 3),
    same,
  ].join();
};
const label = (event: Event) => JSON.stringify(event).replaceAll(/p\d+-/g, 'p');

/** What the operator may expect of the lines, kept beside the chart: which are waiting, and which is being answered. */
class Lines {
  readonly waiting: string[] = [];
  readonly begun: string[] = [];
  current: string | null = null;
  /** What was told for the current line. */
  words = 0;
  said = 0;

  say(isFirst: boolean): Line {
    const text = `word ${this.said++}`;
    if (isFirst) this.waiting.unshift(text);
    else this.waiting.push(text);
    return { id: text, text };
  }

  take(told: Told): void {
    if (told.type === 'began') {
      expect(this.current, 'one line at a time').toBeNull();
      expect(told.line.text, 'the lines keep their order').toBe(this.waiting.shift());
      this.current = told.line.text;
      this.begun.push(this.current);
      this.words = 0;
    } else if (told.type === 'ended') {
      expect(told.line.text, 'the line that ends has begun').toBe(this.current);
      if (told.how === 'answered') expect(this.words, 'an answered line has an answer').toBeGreaterThan(0);
      this.current = null;
    } else if (told.type === 'idle') expect([this.current, this.waiting], 'idle means that nothing waits').toEqual([null, []]);
    else {
      expect(this.current, 'nothing is told without a line').not.toBeNull();
      if (told.type === 'reply' || told.type === 'did') this.words++;
    }
  }
}

/** Drives the real actor along a path and checks the contract after every event. */
function judge(path: readonly Event[], covered: Set<string>): void {
  const inFlight = new Map<'think' | 'act', (event: EventObject) => void>();
  const told: Told[] = [];
  const lines = new Lines();
  let heard = '';
  let heardElsewhere = 0;
  let calls = 0;
  let begun = 0;
  let started = 0;
  const actor = createActor(
    primary.provide({
      actors: {
        think: fromCallback<EventObject, PrimaryThinkInput>(({ input, sendBack }) => {
          expect(inFlight.size, 'one effect at a time').toBe(0);
          inFlight.set('think', sendBack);
          started++;
          const said = textsOf(input.messages, 'user').filter((text) => text !== 'elsewhere');
          calls = said.length > begun ? 1 : calls + 1;
          begun = said.length;
          expect(said.at(-1), 'the newest word is the line that is answered').toBe(input.line.text);
          expect(input.messages.slice(0, -1).at(-1)?.role, 'two lines never stand together').not.toBe(
            input.isFirst ? 'user' : 'none',
          );
          expect(input.isFirst).toBe(calls === 1);
          expect(input.isLast, 'only the last one must answer').toBe(calls === maxModelCalls);
          expect(calls, 'no more model calls than one line may take').toBeLessThanOrEqual(maxModelCalls);
          expectAnswered(input.messages, 0);
          return () => void inFlight.delete('think');
        }),
        act: fromCallback<EventObject, PrimaryActInput>(({ input, sendBack }) => {
          expect(inFlight.size, 'one effect at a time').toBe(0);
          inFlight.set('act', sendBack);
          started++;
          expect(input.call.started).toBe(true);
          return () => void inFlight.delete('act');
        }),
      },
    }),
    {
      inspect: (event: InspectionEvent) => {
        if (event.type === '@xstate.microstep') for (const it of event._transitions) covered.add(transitionKey(it as never));
      },
    },
  );
  actor.on('*', (event) => told.push(event));
  actor.subscribe({ error: (error) => expect.fail(String(error)) });
  actor.start();

  const drive = (event: Event) => {
    const before = told.length;
    const startedBefore = started;
    const was = actor.getSnapshot();
    const isFirst = event.type === 'SAY' && event.isFirst === true;
    if (event.type === 'HEARD') heardElsewhere++;
    if (event.type === 'MODEL_SAID') heard += event.text;
    actor.send((event.type === 'SAY' ? { ...event, line: lines.say(isFirst) } : event) as PrimaryMachineEvent);

    const { value, context } = actor.getSnapshot();
    const now = told.slice(before);
    for (const each of now) lines.take(each);
    expect([...inFlight.keys()]).toEqual(value === 'thinking' ? ['think'] : value === 'acting' ? ['act'] : []);
    const users = textsOf(context.messages, 'user');
    expect(
      users.filter((text) => text !== 'elsewhere'),
      'each line that began is in the talk once',
    ).toEqual(lines.begun);
    expect(
      context.waiting.map(({ text }) => text),
      'no waiting line is lost',
    ).toEqual(lines.waiting);
    expect(context.line?.text ?? null).toBe(lines.current);
    const elsewhereNow = [...users, ...textsOf(context.heard, 'user')].filter((text) => text === 'elsewhere').length;
    expect(elsewhereNow, 'what was heard elsewhere is kept').toBe(heardElsewhere);
    expectAnswered(context.messages, context.calls.length);
    const ends = now.flatMap((each) => (each.type === 'ended' ? [each.how] : []));
    const isStop = event.type === 'INTERRUPT' || isFirst;
    if (was.value === 'idle') expect(ends).toEqual([]);
    else if (isStop) expect(ends, 'interrupting ends the line at once').toEqual(['interrupted']);
    else if (event.type === 'SAY' || event.type === 'HEARD') {
      expect(now, 'a line that waits changes nothing').toEqual([]);
      expect(started, 'and aborts nothing').toBe(startedBefore);
    }
    if (isFirst) expect(context.line?.text, 'a first line is answered next').toBe(`word ${lines.said - 1}`);
    const idles = now.filter(({ type }) => type === 'idle').length;
    expect(idles, 'idle is told when it comes to rest, once').toBe(value === 'idle' && was.value !== 'idle' ? 1 : 0);
    if (idles === 1) expect(now.at(-1), 'idle is the last thing told').toEqual({ type: 'idle' });
    const failed = event.type === 'MODEL_FAILED' || event.type === 'xstate.error.actor.think';
    expect(now.filter(({ type }) => type === 'failed').length, 'a failure is told').toBe(failed ? 1 : 0);
    if (failed) expect(ends).toEqual(['failed']);
    const returned = event.type === 'TOOL_RETURNED' && event.call !== 'another' ? event : null;
    const dids = now.flatMap((each) => (each.type === 'did' ? [each.text] : []));
    expect(dids, 'only what was done is told as done').toEqual(returned?.did ? [returned.text] : []);
    if (heard !== '' && !['MODEL_SAID', 'HEARD'].includes(event.type) && !(event.type === 'SAY' && !isFirst)) {
      if (event.type !== 'MODEL_REPLIED') {
        expect(context.messages, 'what was heard is kept').toContainEqual({ role: 'assistant', text: heard, unfinished: true });
        expect(now[0], 'and the text is told to be over').toEqual({ type: 'reply', text: `${heard} …`, by: 'model' });
      }
      heard = '';
    }
  };

  for (const event of path) drive(event);
  // Cooperative models and tools bring the primary to rest from any state.
  for (let n = 0; actor.getSnapshot().value !== 'idle'; n++) {
    expect(n, 'it comes to rest').toBeLessThan(16);
    const { value, context } = actor.getSnapshot();
    if (value === 'thinking') drive({ type: 'MODEL_REPLIED', text: 'answer', calls: [], usage, backend: 'b' });
    else drive({ type: 'TOOL_RETURNED', call: context.calls[0]!.id, text: 'result' });
  }
  expect(lines.begun.toSorted(), 'each line was answered in its turn').toEqual(
    Array.from({ length: lines.said }, (_, n) => `word ${n}`).toSorted(),
  );
  actor.stop();
}

const textsOf = (messages: readonly Message[], role: Message['role']) =>
  messages.filter((message) => message.role === role).map(({ text }) => text);

/** The chat protocol’s rule: each call has one result, in order, right after it. The last `open` calls have none yet. */
function expectAnswered(messages: readonly Message[], open: number): void {
  const asked = messages.flatMap((message) => (message.role === 'assistant' ? (message.calls ?? []).map(({ id }) => id) : []));
  const results = messages.flatMap((message) => (message.role === 'tool' ? [message.call] : []));
  expect(results, 'every call has its one result').toEqual(asked.slice(0, asked.length - open));
}

test('the primary answers each line once and in order, loses no call or partial reply on any edge, and always comes to rest', () => {
  const paths = edgePaths<Snap, Event>({ machine: primary, input: undefined, alphabet, project, label, histories: 2 });
  const covered = new Set<string>();
  for (const path of paths) judge(path, covered);
  const all = allTransitions(primary);
  const missed = all.filter((key) => !covered.has(key));
  console.log(`primary: ${paths.length} paths, ${all.length - missed.length} of ${all.length} transitions`);
  expect(paths.length).toBeGreaterThan(500);
  expect(missed).toEqual([]);
});

test('the primary takes no more model calls for a line than it may, on every number of steps', () => {
  // The product with lines that wait, with partial replies and with several calls would be too large.
  const few = ({ type, ...event }: Event, { value, context: { waiting } }: Snap) => {
    if (type === 'SAY') return value === 'idle' && waiting.length === 0 && !('isFirst' in event);
    if (type === 'MODEL_REPLIED') return (event as { calls: Calls }).calls.length < 2;
    return type !== 'HEARD' && type !== 'MODEL_SAID' && type !== 'DECIDED';
  };
  const paths = edgePaths<Snap, Event>({
    machine: primary,
    input: undefined,
    alphabet: (snapshot) => alphabet(snapshot).filter((event) => few(event, snapshot)),
    project: ({ value, context: { step, calls } }) => [value, step, calls.length].join(),
    label: ({ type }) => type,
    histories: 2,
  });
  for (const path of paths) judge(path, new Set());
  const longest = Math.max(...paths.map((path) => path.filter(({ type }) => type === 'MODEL_REPLIED').length));
  expect(longest).toBeGreaterThanOrEqual(maxModelCalls);
});
