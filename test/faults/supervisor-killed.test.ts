/**
 * A supervisor whose worker is killed while it plans, dispatches, gathers and reduces goes on elsewhere. Its sub-tasks run in
 * another process, and each of their calls outside must happen once.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accounts, faultsOf, owedBy } from '../models/bus/account.ts';
import type { ModelCall } from '../support/model-server.ts';
import { never, statusWhere } from '../support/watching.ts';
import type { Effect } from './crash-matrix/outside.ts';
import { Place, sweepAway } from './crash-matrix/place.ts';

let place: Place;
beforeAll(async () => {
  place = await Place.open();
});
afterAll(() => place.stop());

/** A queue: `next` waits for the next item. */
class Inbox<T> {
  readonly #there: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];
  put(item: T): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(item);
    else this.#there.push(item);
  }
  next(): Promise<T> {
    const there = this.#there.shift();
    return there === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(there);
  }
}

async function open(run: string, acted: (effect: Effect) => void) {
  const plans = new Inbox<ModelCall>();
  const reductions = new Inbox<ModelCall>();
  const driver = await place.crew.join(`driver-${run}`, run);
  place.think(run, (call) => (call.texts('user').join('\n').includes('Results:') ? reductions : plans).put(call));
  const booked = new Map<string, number>();
  place.outside.watch(run, (effect) => {
    const what = String(effect.args.what);
    booked.set(what, (booked.get(what) ?? 0) + 1);
    acted(effect);
  });
  const porters = await place.worker(run, {}, ['porter']);
  const supervisor = (crashAt?: string) => place.worker(run, crashAt ? { crashAt } : {}, ['supervisor']);
  return { plans, reductions, driver, booked, porters, supervisor };
}

type Run = Awaited<ReturnType<typeof open>>;
const tasksOf = (n: number, run: string) =>
  Array.from({ length: n }, (_, i) => ({ key: `n${i}`, type: 'porter', instruction: `carry ${i} #${run}` }));

async function kill({ process, gone }: Awaited<ReturnType<Run['supervisor']>>): Promise<void> {
  process.kill('SIGKILL');
  expect(await gone).toBe(true);
}

/** Checks the log and the outside world: nothing lost, run twice or owed. */
async function check({ driver, booked }: Run, id: string, n: number): Promise<void> {
  expect(booked.size).toBe(n);
  expect([...booked].filter(([, times]) => times !== 1)).toEqual([]);
  const all = await accounts(driver.bus);
  expect(all.size).toBe(n + 1);
  expect(
    [...all].flatMap(([task, account]) => [...faultsOf(account), ...owedBy(account)].map((fault) => `${task}: ${fault}`)),
  ).toEqual([]);
  const tree = await driver.crew.tree(id);
  expect(tree.filter(({ outcome }) => outcome === 'completed').length).toBe(n + 1);
}

async function close({ driver, porters }: Run, ...others: Awaited<ReturnType<Run['supervisor']>>[]): Promise<void> {
  for (const { process, gone } of [porters, ...others]) {
    process.kill('SIGTERM');
    await gone;
  }
  await sweepAway(driver);
}

test('a supervisor that is killed while it plans asks for the plan again and carries it out once', {
  timeout: 300_000,
}, async () => {
  const here = await open('planning', (effect) => effect.returns('done'));
  const { driver, plans, reductions, supervisor } = here;
  const first = await supervisor();
  const id = await driver.crew.dispatch({ type: 'supervisor', instruction: 'Carry all #planning', backend: 'local' });
  await plans.next();
  await kill(first);
  // The worker gets the plan and dies before it writes it.
  const second = await supervisor('state:before#3');
  const plan = JSON.stringify({ tasks: tasksOf(20, 'planning'), final: 'Say how many.' });
  (await plans.next()).reply(plan);
  expect(await second.gone).toBe(true);
  const third = await supervisor();
  (await plans.next()).reply(plan);
  (await reductions.next()).reply('Twenty.');
  expect(await driver.crew.result(id, never)).toMatchObject({ outcome: 'completed', output: expect.stringContaining('Twenty.') });
  await check(here, id, 20);
  await close(here, third);
});

test('a supervisor that is killed while it dispatches 1,000 sub-tasks, gathers and reduces runs each once', {
  timeout: 600_000,
}, async () => {
  const n = 1_000;
  const held: Effect[] = [];
  let isHolding = true;
  let acted = 0;
  // Two fifths of the calls stay open until the supervisor has been killed while it gathers.
  const here = await open('fanning', (effect) => {
    if (++acted > n * 0.6 && isHolding) held.push(effect);
    else effect.returns('done');
  });
  const { driver, reductions, supervisor } = here;
  const first = await supervisor(`pending:before#${n / 2}`);
  const id = await driver.crew.dispatch({
    type: 'supervisor',
    instruction: 'Carry all #fanning',
    backend: 'local',
    plan: { tasks: tasksOf(n, 'fanning'), reduce: { by: 'orchestrator', instruction: 'Say how many.' } },
  });
  expect(await first.gone).toBe(true);
  const second = await supervisor(`pending:after#${n / 2}`);
  expect(await second.gone).toBe(true);

  const third = await supervisor();
  await statusWhere(driver.crew, id, ({ subTasks }) => (subTasks?.returned ?? 0) >= n / 4);
  await kill(third);
  isHolding = false;
  for (const effect of held) effect.returns('done');

  const fourth = await supervisor();
  await reductions.next();
  await kill(fourth);

  const fifth = await supervisor();
  (await reductions.next()).reply('A thousand.');
  expect(await driver.crew.result(id, never)).toMatchObject({
    outcome: 'completed',
    output: expect.stringContaining('A thousand.'),
  });
  await check(here, id, n);
  await close(here, fifth);
});
