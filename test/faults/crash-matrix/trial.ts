/**
 * One run of a scenario, with a worker that dies at one point and another that goes on, judged by what was seen and by a run
 * without a crash.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CrewSession } from '../../../actors/node/join.ts';
import type { Result } from '../../../bus/messages.ts';
import { pause } from '../../../bus/pause.ts';
import { type Account, faultsOf, isFinal } from '../../models/bus/account.ts';
import { accountsOf, owed } from './log.ts';
import { type Place, sweepAway } from './place.ts';
import { type Scenario, Stage } from './stage.ts';

/** Longer than any run takes, even on a busy machine. */
const patienceMs = 120_000;

/** The part of a run’s outcome that a crash must not change. */
export interface Outcome {
  readonly result: string;
  /** Final fates of the steers of the scenario’s operator, without answers. */
  readonly fates: Readonly<Record<string, string>>;
}
export interface Verdict {
  readonly died: boolean;
  readonly asked: number;
  readonly outcome: Outcome;
  readonly points: readonly string[];
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly stuck: readonly string[];
}

let runs = 0;

export async function trial(place: Place, scenario: Scenario, crashAt: string | null): Promise<Verdict> {
  const run = `run${runs++}`;
  const points = join(place.crew.folder, `points-${run}`);
  const driver = await place.crew.join(`driver-${run}`, run);
  const stage = new Stage(run, driver.crew, scenario);
  const watches = [
    place.think(run, (call) => scenario.model(call, stage)),
    place.outside.watch(run, (effect) => stage.acted(effect)),
  ];
  const stop = new AbortController();
  const watching = watch(driver, stage, stop.signal);
  const first = await place.worker(run, crashAt === null ? { logTo: points } : { crashAt });
  const succession = first.gone.then((died) => (died ? place.successor(run) : null));
  try {
    const patience = AbortSignal.timeout(patienceMs);
    const id = await stage.begin();
    const result = await driver.crew.result(id, patience).catch(() => null);
    const owing = async () => owed(await accountsOf(driver.bus));
    if (result) await settled(owing, patience);
    // The crash may come while the first worker leaves: wait for its end to know whether there is a successor.
    first.process.kill('SIGTERM');
    const second = await succession;
    const left = await settled(async () => [...(await owing()), ...(await tickets(driver))], patience);
    const stuck = result ? left : [...left, ...(await standing(driver, id))];
    await second?.node.stop();
    await second?.joined.close();
    await stage.settled();
    const all = await accountsOf(driver.bus);
    return {
      died: second !== null,
      asked: stage.asked,
      outcome: outcomeOf(result, stage, await stage.goal),
      points: crashAt === null ? (await readFile(points, 'utf8')).trim().split('\n') : [],
      stuck,
      ...judged(all, stage),
    };
  } finally {
    stop.abort();
    await watching;
    first.process.kill('SIGKILL');
    for (const each of watches) each.stop();
    await sweepAway(driver);
    await driver.close();
  }
}

async function watch({ crew }: CrewSession, stage: Stage, signal: AbortSignal): Promise<void> {
  for await (const event of crew.watch(null, signal)) if (event.kind === 'status') stage.saw(event.status);
}

/** Waits until nothing is owed any more. @returns what is still owed when `patience` is aborted. */
export async function settled(owing: () => Promise<string[]>, patience: AbortSignal): Promise<string[]> {
  for (;;) {
    const left = await owing();
    if (left.length === 0 || patience.aborted) return left;
    // No message tells that a ticket was acked.
    await pause(20);
  }
}

export async function tickets({ bus }: CrewSession): Promise<string[]> {
  const { state } = await bus.jsm.streams.info(bus.subjects.workStream);
  return state.messages === 0 ? [] : [`${state.messages} tickets are left`];
}

async function standing({ crew }: CrewSession, id: string): Promise<string[]> {
  const tree = await crew.tree(id);
  return tree.map(({ id: task, state, question }) => `${task} is ${state} ${question ? `and asks: ${question.text}` : ''}`);
}

export function outcomeOf(result: Result | null, { receipts }: Stage, goal: string): Outcome {
  const finals = receipts.filter(
    ({ task, receipt }) => task === goal && isFinal(receipt) && !receipt.steer.startsWith('answer-'),
  );
  return {
    // Ids differ from run to run, and a crash may cost a sub-task another attempt.
    result: `${result?.outcome} ${result?.output?.replaceAll(/\w+\.[\d-]+/g, 'id')}`,
    fates: Object.fromEntries(finals.map(({ receipt }) => [receipt.steer, receipt.fate]).sort()),
  };
}

export function judged(all: ReadonlyMap<string, Account>, stage: Stage): Pick<Verdict, 'lost' | 'doubled'> {
  const times = stage.timesBooked();
  const wanted = stage.scenario.books;
  const lost = Object.entries(wanted).filter(([what, n]) => (times[what] ?? 0) < n);
  const doubled = Object.entries(times).filter(([what, n]) => n > (wanted[what] ?? 0));
  const inWords = ([what, n]: readonly [string, number]) =>
    `${what}: booked ${times[what] ?? 0} times, ${wanted[what] ?? 0} wanted (${n})`;
  return {
    lost: lost.map(inWords),
    doubled: [
      ...doubled.map(inWords),
      ...[...all].flatMap(([task, account]) => faultsOf(account).map((fault) => `${task}: ${fault}`)),
    ],
  };
}
