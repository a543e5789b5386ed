/** One walk along a generated path, with its worker killed; judged by the chart's own walk without a crash. */
import type { StateRecord } from '../../../bus/state-record.ts';
import type { SubAgentEvent, SubAgentOutput } from '../../../machines/sub-agent.ts';
import { faultsOf } from '../../models/bus/account.ts';
import { walkWithCrash } from '../../models/crash.ts';
import { crashSense } from '../../models/sub-agent/crash.ts';
import { model } from '../../models/sub-agent/model.ts';
import type { Snap } from '../../models/sub-agent/observation.ts';
import { Bell } from './bell.ts';
import { accountsOf, owed } from './log.ts';
import { PathWalk } from './path-walk.ts';
import { type Place, sweepAway } from './place.ts';
import { settled, tickets } from './trial.ts';

const chart = model();
/** How it comes out in the chart alone; null where it is over before the path is. */
export const expectedOf = (path: readonly SubAgentEvent[]): string | null =>
  walkWithCrash(chart, crashSense, path, -1)?.summary ?? null;

let runs = 0;
const patienceMs = 120_000;

/** `died`: at the point. @returns `changed` is empty where an effect was in doubt: then it may come out otherwise. */
export async function walkPath(place: Place, path: readonly SubAgentEvent[], point: string, expected: string) {
  const run = `path${runs++}`;
  const driver = await place.crew.join(`driver-${run}`, run);
  const bell = new Bell();
  const walk = new PathWalk({ run, bus: driver.bus, crew: driver.crew, bell });
  const watches = [place.think(run, (call) => walk.thinks(call)), place.outside.watch(run, (effect) => walk.acts(effect))];
  const stop = new AbortController();
  const watching = (async () => {
    for await (const _ of driver.crew.watch(null, stop.signal)) bell.ring();
  })();
  const first = await place.worker(run, { crashAt: point });
  let atPoint = true;
  const succession = first.gone.then(() => place.successor(run));
  try {
    await walk.open();
    for (const [i, event] of path.entries()) await walk.go(event, `e${i}`);
    if (first.process.signalCode === null && first.process.kill('SIGKILL')) atPoint = false;
    const record = await walk.finish();
    const second = await succession;
    const patience = AbortSignal.timeout(patienceMs);
    const stuck = await settled(async () => [...owed(await accountsOf(driver.bus)), ...(await tickets(driver))], patience);
    await second.node.stop();
    await second.joined.close();
    const all = await accountsOf(driver.bus);
    const summary = summaryOf(record);
    return {
      died: atPoint,
      asked: walk.doubted ? 1 : 0,
      lost: [] as string[],
      doubled: [...twice(walk), ...[...all.values()].flatMap(faultsOf)],
      stuck,
      changed: walk.doubted || summary === expected ? [] : [`${summary} instead of ${expected}`],
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

/** As `crashSense.summary` has it of the chart. */
function summaryOf({ snapshot }: StateRecord): string {
  const { context, output } = snapshot as unknown as Snap & { output?: SubAgentOutput };
  const sent = context.steers.filter(({ id }) => id.startsWith('e')).map(({ id, fate }) => `${id} ${fate}`);
  return JSON.stringify([context.outcome?.kind, output?.answer !== null, sent]);
}

/** Nobody says `run it again`, so a call that writes reaches the outside once at most. */
function twice({ effects }: PathWalk): string[] {
  const calls = effects.filter(({ tool }) => tool === 'write' || tool === 'pay').map(({ call, tool }) => `${tool} as ${call}`);
  return calls.filter((call, i) => calls.indexOf(call) !== i).map((call) => `${call} ran twice`);
}
