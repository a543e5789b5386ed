/** One walk along a generated path with its worker killed, judged by the walk of the chart without a crash. */
import type { StateRecord } from '../../../bus/state/state-record.ts';
import type { Outcome } from '../../../machines/conversation.ts';
import { type Account, faultsOf, isFinal, receiptsBySteer } from '../../models/bus/account.ts';
import { Bell } from './bell.ts';
import { accountsOf, owed } from './log.ts';
import type { PathStage, Walk } from './path-walk.ts';
import { type Place, sweepAway } from './place.ts';
import { settled, tickets } from './trial.ts';

/** The parts that a chart’s path set adds to its walk. */
export interface PathSense<Event> {
  walk(stage: PathStage): Walk<Event>;
  /** The outcome in the form of the chart’s own walk. */
  summary(record: StateRecord, sent: readonly string[]): string;
}

let runs = 0;
/** Whether the point comes only after the path: then the worker lives until the walk has finished. */
const isAtTheEnd = (point: string) => point.startsWith('result');
const patienceMs = 120_000;

/** `died`: whether the crash point came. `changed` is empty when an effect was in doubt, since the outcome may then differ. */
export async function walkPath<Event>(
  place: Place,
  sense: PathSense<Event>,
  { path, point, expected }: { path: readonly Event[]; point: string; expected: string },
) {
  const run = `path${runs++}`;
  const driver = await place.crew.join(`driver-${run}`, run);
  const bell = new Bell();
  const walk = sense.walk({ run, bus: driver.bus, crew: driver.crew, bell });
  const watches = [place.think(run, (call) => walk.thinks(call)), place.outside.watch(run, (effect) => walk.acts(effect))];
  const stop = new AbortController();
  const watching = (async () => {
    for await (const _ of driver.crew.watch(null, stop.signal)) bell.ring();
  })();
  const first = await place.worker(run, { crashAt: point });
  let died = false;
  let isKilled = false;
  const succession = first.gone.then((wasKilled) => {
    died = wasKilled && !isKilled;
    return wasKilled ? place.successor(run) : null;
  });
  try {
    await walk.open();
    for (const [i, event] of path.entries()) await walk.go(event, `e${i}`);
    if (!isAtTheEnd(point) && first.process.signalCode === null) isKilled = first.process.kill('SIGKILL');
    const record = await walk.finish();
    first.process.kill('SIGTERM');
    const second = await succession;
    const owing = async () => [...owed(await accountsOf(driver.bus)), ...(await tickets(driver))];
    const stuck = await settled(owing, AbortSignal.timeout(patienceMs));
    await second?.node.stop();
    await second?.joined.close();
    const all = await accountsOf(driver.bus);
    const summary = sense.summary(record, fatesOf(all.get(record.id)!));
    const changed = walk.doubted || summary === expected ? [] : [`${summary} instead of ${expected}`];
    const doubled = [...twice(walk.effects), ...[...all.values()].flatMap(faultsOf)];
    return { verdict: { died, asked: walk.doubted ? 1 : 0, lost: [], doubled, stuck }, changed };
  } finally {
    stop.abort();
    await watching;
    first.process.kill('SIGKILL');
    for (const each of watches) each.stop();
    await sweepAway(driver);
    await driver.close();
  }
}

/** The fates of the path’s own steers, in their order. */
const fatesOf = (account: Account): string[] => {
  const bySteer = receiptsBySteer(account);
  const sent = [...new Set(account.steers)].filter((steer) => /^e\d+$/.test(steer));
  return sent.map((steer) => `${steer} ${bySteer.get(steer)?.find(isFinal)?.fate}`);
};

/** No answer is `run it again`, so a call that writes reaches the outside at most once. */
function twice(effects: Walk<never>['effects']): string[] {
  const calls = effects.filter(({ tool }) => tool === 'write' || tool === 'pay').map(({ call, tool }) => `${tool} as ${call}`);
  return calls.filter((call, i) => calls.indexOf(call) !== i).map((call) => `${call} ran twice`);
}

export const outcomeOf = (record: StateRecord): Outcome | null =>
  (record.snapshot!.context as { outcome: Outcome | null }).outcome;
