/** No command of `cox` leaves anything behind when it has ended or was killed: processes, connections, consumers, or files. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findServerBinary } from '../../bus/embedded/server-binary.ts';
import { commands } from '../../cli/commands/registry.ts';
import { type CrewSession, joinCrew } from '../../index.ts';
import { foldersOf } from '../../platform/folders.ts';
import { added, connectionsTo, consumersOf, filesIn, processesOf } from '../support/leftovers.ts';
import { isPlanning, planOf, type Running, World } from './support/world.ts';

let world: World;
let watching: CrewSession;
let goal: string;
beforeAll(async () => {
  // Downloads of other tests must not count, so this one has a cache of its own.
  const found = await findServerBinary({ folders: foldersOf(process.env), env: process.env });
  if ('missing' in found) throw new Error(found.tried.join());
  world = await World.make();
  const folders = { TMPDIR: 'tmp', XDG_CACHE_HOME: 'cache' };
  for (const [name, folder] of Object.entries(folders)) {
    world.env[name] = join(world.folder, folder);
    mkdirSync(world.env[name]);
  }
  world.env.COX_NATS_SERVER = found.path;
  world.model.answer((call) => {
    if (call.texts('user').join().includes('wait')) return;
    call.reply(isPlanning(call) ? planOf(['a']) : 'done');
  });
  const node = world.start(['up', '--json'], { stdin: null });
  await node.says('stdout', /"node"/);
  watching = await joinCrew({ env: world.env });
  goal = (await world.json<{ id: string }>(['dispatch', 'supervisor', 'read it'])).value.id;
  await watching.crew.result(goal, new AbortController().signal);
  // The things that are made with the first use stay: the list that this shell has seen, and the history of the prompt.
  // The file is what `cox export` is for.
  await world.cox(['export', goal, '-o', exported()]);
  // The folder of a keeper is what `cox crew init` is for.
  await world.cox(['crew', 'init', '--dir', keeping()]);
  await Promise.all([world.cox(['inbox']), world.cox(['start'], { stdin: '/help\n' })]);
});
afterAll(async () => {
  await watching?.close();
  await world?.stop();
});

const keeping = () => join(world.folder, 'keeping');
const exported = () => join(world.folder, 'exported.cox.gz');
const subTask = () => goal.replace('.0', '.1');
const onGoal = (name: string, ...words: string[]) => [name, goal, ...words];
/** The words of each command, for a goal that has ended. */
const table: Readonly<Record<string, () => readonly string[]>> = {
  start: () => ['start'],
  run: () => ['run', 'read', 'it'],
  dispatch: () => ['dispatch', 'reasoning', 'read it'],
  status: () => onGoal('status'),
  inbox: () => ['inbox'],
  steer: () => onGoal('steer', 'more'),
  answer: () => onGoal('answer', 'q1', 'yes'),
  cancel: () => onGoal('cancel'),
  redirect: () => onGoal('redirect', 'less'),
  swap: () => onGoal('swap', 'other'),
  pause: () => onGoal('pause'),
  resume: () => onGoal('resume'),
  allow: () => onGoal('allow', 'write_file'),
  budget: () => onGoal('budget', '10'),
  add: () => onGoal('add', 'b', 'reasoning', 'more'),
  drop: () => onGoal('drop', 'a'),
  rerun: () => onGoal('rerun', 'a'),
  retarget: () => onGoal('retarget', 'a', 'other'),
  result: () => onGoal('result'),
  undo: () => onGoal('undo', '--dry-run'),
  artifact: () => ['artifact', `${goal}/s1-0/0`],
  artifacts: () => onGoal('artifacts'),
  tree: () => onGoal('tree'),
  replay: () => onGoal('replay'),
  fork: () => ['fork', subTask(), '--at', '1'],
  compare: () => ['compare', goal, subTask()],
  'what-if': () => ['what-if', subTask(), '--at', '1', '--backend', 'other'],
  export: () => onGoal('export', '--force', '-o', exported()),
  import: () => ['import', exported()],
  watch: () => onGoal('watch'),
  console: () => ['console', '--no-open'],
  inspect: () => onGoal('inspect', '--bridge'),
  machines: () => ['machines', 'export', '--live', goal],
  up: () => ['up'],
  worker: () => ['worker'],
  nodes: () => ['nodes'],
  dead: () => ['dead'],
  costs: () => ['costs'],
  crew: () => ['crew', '--dir', keeping()],
  menu: () => ['menu'],
  roster: () => ['roster', 'show'],
  gc: () => ['gc', '--dry-run'],
  doctor: () => ['doctor'],
  completion: () => ['completion', 'bash'],
  complete: () => ['complete', '--', 'cox', 'status', ''],
};
/** Commands that end with a signal alone. */
const endless = ['watch', 'console', 'inspect', 'up', 'worker'];

const now = async () => [
  ...processesOf(world.folder),
  ...(await connectionsTo(world.env)),
  ...(await consumersOf(watching.bus)),
  ...filesIn(world.folder),
];
const patient = { timeout: 30_000, interval: 100 };
/** Resolves when the command is on the bus. */
async function joined(command: Running, before: readonly string[]): Promise<void> {
  const isThere = async () => added(before, await connectionsTo(world.env)).length > 0;
  await expect.poll(async () => command.process.exitCode !== null || (await isThere()), patient).toBe(true);
}

test('every command is in the table', () => {
  expect(Object.keys(table).toSorted()).toEqual(commands.map(({ name }) => name).toSorted());
});

test.each(Object.keys(table))('cox %s leaves nothing behind', async (name) => {
  const before = await now();
  const command = world.start(table[name]!());
  if (endless.includes(name)) {
    await joined(command, before);
    command.process.kill('SIGTERM');
  }
  await command.ended;
  await expect.poll(async () => added(before, await now()).join('\n'), patient).toBe('');
});

const waiting: Readonly<Record<string, readonly string[]>> = {
  start: ['start'],
  run: ['run', 'wait'],
  result: ['result'],
  steer: ['steer', 'more'],
  watch: ['watch'],
  inspect: ['inspect', '--bridge'],
  up: ['up'],
  worker: ['worker'],
};
const isConsumerForSeconds = (line: string) => /^consumer of .*: without a name/.test(line);

test.each(Object.entries(waiting))('cox %s that is killed leaves nothing but consumers for seconds', async (name, words) => {
  // A task that nobody works on.
  const id = await watching.crew.dispatch({ type: 'nobody', instruction: 'wait' });
  const before = await now();
  const args = ['result', 'steer'].includes(name) ? [words[0]!, id, ...words.slice(1)] : words;
  const command = world.start(args, { stdin: null });
  await joined(command, before);
  command.process.kill('SIGKILL');
  await command.ended;
  const left = async () => added(before, await now());
  const longer = async () => (await left()).filter((line) => !isConsumerForSeconds(line)).join('\n');
  await expect.poll(longer, patient).toBe('');
  expect((await left()).length).toBeLessThan(4);
});
