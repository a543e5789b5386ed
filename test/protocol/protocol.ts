/** The whole model: all possible steps of a scene under some rules, and its good ends. */
import { assign, letGo, publishTicket, say } from './bus.ts';
import { isPlanned } from './claiming.ts';
import { Interner, type Model, type Step } from './explore.ts';
import { sweeperSteps, timerSteps, wakerSteps } from './keepers.ts';
import type { Rules } from './rules.ts';
import { workerSteps } from './worker.ts';
import { blank, idle, type Proc, put, type Scene, spend, type World, withProc, worldOf } from './world.ts';

export function protocol(scene: Scene, rules: Rules): Model<World> {
  const interner = new Interner();
  return {
    initial: worldOf(scene),
    next: (world) => [
      ...dispatcher(world, scene, rules),
      ...operator(world, scene, rules),
      ...world.procs.flatMap((proc) => stepsOf(world, proc, scene, rules)),
      ...troubles(world, scene, rules),
    ],
    key: (world) => keyOf(world, interner),
    broken: ({ broken }) => broken,
    missing: (world) => missing(world, scene),
  };
}

function keyOf(world: World, interner: Interner): string {
  let key = '';
  for (const part of Object.values(world) as readonly unknown[]) {
    if (Array.isArray(part)) for (const it of part) key += `${interner.name(it)},`;
    else key += interner.name(part);
    key += ';';
  }
  return key;
}

function stepsOf(world: World, proc: Proc, scene: Scene, rules: Rules): readonly Step<World>[] {
  if (proc.name === 'sweeper') return sweeperSteps(world, proc, rules);
  if (proc.name === 'timers') return timerSteps(world, proc);
  if (proc.name.startsWith('waker')) return wakerSteps(world, proc, rules);
  return workerSteps(world, proc, scene.workers[Number(proc.name.slice(6)) - 1]!, scene, rules);
}

function dispatcher(world: World, { dispatchDies }: Scene, rules: Rules): Step<World>[] {
  const state = (to: World) => ({ ...to, kv: put(to.kv, 0, { ...blank, w: 1 }) });
  const ticket = (to: World) => publishTicket(to, 0, 1, false);
  const first = rules.stateBeforeTicket === (world.dispatch === 'start');
  switch (world.dispatch) {
    case 'start':
    case 'half': {
      const dispatch = world.dispatch === 'start' ? 'half' : 'done';
      const steps = (first ? [state(world)] : ticket(world)).map((to, i) => ({
        label: `dispatcher: ${first ? 'creates the state' : 'publishes the ticket'}${i ? ', stored twice' : ''}`,
        to: { ...to, dispatch } as World,
      }));
      const dies = dispatchDies && dispatch === 'done';
      return dies ? [...steps, { label: 'dispatcher: dies', to: { ...world, dispatch: 'crashed' } }] : steps;
    }
    default:
      return [];
  }
}

/** Steers are sent in the scene’s order; questions are answered when their status is on the log. */
function operator(world: World, scene: Scene, rules: Rules): Step<World>[] {
  const steps: Step<World>[] = [];
  const next = scene.steers[world.sent];
  const before = scene.patient && world.sent > 0 ? scene.steers[world.sent - 1]! : null;
  const isAnswered =
    !before ||
    (world.status[before[0]]!.some(({ receipts }) => receipts.includes(`f:${before[1]}`)) &&
      world.pending.length + world.queue.length === 0);
  if (next && isAnswered && (world.dispatch !== 'start' || next[0] > 0))
    steps.push({ label: `operator: ${next[1]} to ${next[0]}`, to: { ...say(world, ...next), sent: world.sent + 1 } });
  for (const [id, log] of world.status.entries()) {
    const rec = world.kv[id];
    const answered = world.said[id]!.slice(rec?.steeringCursor ?? 0).some((said) => /^ran|^again/.test(said));
    if (!log.at(-1)?.asks || !rec?.asks || answered) continue;
    const mayHaveRun = scene.answers === 'any' || (scene.answers === 'again first' && world.spare.agains === 0);
    if (mayHaveRun) steps.push({ label: `operator: it ran, to ${id}`, to: say(world, id, 'ran') });
    // The wait is taken to be longer than any freeze between the last look at the epoch and the call.
    const lost = world.procs.some((proc) => proc.pc === 'start' && proc.id === id && proc.rec!.epoch !== rec.epoch);
    if (scene.answers !== 'none' && world.spare.agains > 0 && !(rules.doubtLasts && lost))
      steps.push({
        label: `operator: run it again, to ${id}`,
        to: say(spend(world, 'agains'), id, `again${world.spare.agains}`),
      });
  }
  return steps;
}

function troubles(world: World, scene: Scene, rules: Rules): Step<World>[] {
  const steps: Step<World>[] = [];
  for (const proc of world.procs) {
    if (proc.pc === 'idle') continue;
    // The waker and the sweeper keep nothing of importance: after a loss they begin again.
    if (!proc.name.startsWith('worker')) {
      if (world.spare.crashes > 0 && scene.mortal === null && ['flush', 'ack', 'publish'].includes(proc.pc))
        steps.push({ label: `${proc.name}: is lost`, to: withProc(spend(world, 'crashes'), idle(proc)) });
      continue;
    }
    const { id } = proc.back ?? proc;
    if (world.spare.crashes === 0 || (scene.mortal ?? id) !== id) continue;
    if (scene.troubleInCalls && proc.pc !== 'called') continue;
    // Poison kills only while it works.
    if (scene.tasks[id!]!.poison && !['loop', 'reconcile'].includes(proc.pc)) continue;
    const paid = spend(world, 'crashes');
    const dead = withProc(letGo(paid, proc), idle(proc));
    steps.push({ label: `${proc.name}: crashes`, to: { ...dead, deaths: 1 } });
  }
  for (const { q, to, id } of world.queue) {
    const isCalling = world.procs.some(({ name, pc }) => name === to && ['call', 'start', 'called'].includes(pc));
    if (to !== null && world.spare.redeliveries > 0 && (isCalling || !scene.troubleInCalls)) {
      const next = assign(spend(world, 'redeliveries'), q, null);
      steps.push({ label: `queue: the lease of ${q} passes`, to: { ...next, deaths: 1 } });
    }
    // A ticket is lost only where it matters: no worker has it, and the task has not ended.
    if (world.spare.losses > 0 && to === null && ['ready', 'held'].includes(world.kv[id]?.phase ?? '')) {
      const queue = world.queue.filter((ticket) => ticket.q !== q);
      steps.push({ label: `queue: loses ticket ${q} of ${id}`, to: { ...spend(world, 'losses'), queue, deaths: 1 } });
    }
  }
  if (!world.deadlinePassed && scene.tasks.some(({ deadline }) => deadline)) {
    const timers = world.timers.map((timer) => (timer === 'set' ? 'due' : timer));
    steps.push({ label: 'the deadline passes', to: { ...world, deadlinePassed: true, timers } });
  }
  if (scene.gc && world.kv.some(Boolean) && world.kv.every((rec) => !rec || rec.phase === 'done' || rec.phase === 'unborn'))
    if (world.purged || missing(world, { ...scene, gc: false }, true).length === 0)
      steps.push({ label: 'gc: purges the tree', to: purged(world, rules) });
  if (world.purged && world.spare.kills > 0)
    steps.push({
      label: 'the server is killed',
      to: { ...spend(world, 'kills'), kv: world.kv.map((rec, id) => rec ?? world.left[id]!) },
    });
  return steps;
}

/** Purges the tree. A server that is killed later may restore the version before the last of each record (docs/adr/0021). */
function purged(world: World, rules: Rules): World {
  const none = world.kv.map(() => null);
  const empty = world.kv.map(() => []);
  const left =
    world.spare.kills === 0 ? world.left : world.kv.map((rec, id) => (rec && rules.purgesWrittenTwice ? rec : world.left[id]!));
  return { ...world, kv: none, left, status: empty, results: empty, committed: empty, purged: true };
}

/** The things that a good end still lacks. @param mayBeLate A worker may still hold a ticket of a run that has ended. */
function missing(world: World, scene: Scene, mayBeLate = false): string[] {
  const lacks: string[] = [];
  if (world.sent < scene.steers.length || !['done', 'crashed'].includes(world.dispatch)) return ['the operator has more to say'];
  for (const [id, rec] of world.kv.entries()) {
    const isThere =
      id === 0 ? !world.purged || rec !== null : isPlanned(world.kv[0]!, id) || (rec !== null && rec.phase !== 'unborn');
    if (scene.gc && rec && rec.phase !== 'unborn') lacks.push('the tree is purged');
    if (scene.gc && world.purged) continue;
    if (isThere && rec?.phase !== 'done') lacks.push(`task ${id} has a result`);
    else if (isThere && world.results[id]!.length === 0) lacks.push(`the result of ${id} is on the log`);
    else if (isThere && world.status[id]!.filter(({ n }) => n > 0).length < rec!.n)
      lacks.push(`the statuses of ${id} are on the log`);
    const finals = world.status[id]!.flatMap(({ receipts }) => receipts).filter((receipt) => receipt.startsWith('f:'));
    if (new Set(world.said[id]!).size > new Set(finals).size) lacks.push(`every steer to ${id} has its final receipt`);
  }
  // A ticket for which no worker ever comes stays where it is.
  const isServed = (id: number) =>
    scene.workers.some((kind) => !/^(supervisor|agent)$/.test(kind) || kind === scene.tasks[id]!.kind);
  const queued = world.queue.filter(({ id }) => isServed(id));
  if (!mayBeLate && queued.length + world.pending.length > 0) lacks.push('queues are empty');
  return lacks;
}
