/**
 * A worker is killed at every point at which it writes to the bus or runs a tool, one point a run, and another goes on. The outcome must be
 * as without the crash, every steer must have one final receipt, and a tool that writes must have run once, unless the operator was asked
 * about it. In the suite every Nth point is tried; `npm run test:crash` tries them all.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Joined } from '../../actors/join.ts';
import type { CrewEvent } from '../../bus/crew.ts';
import type { Receipt } from '../../bus/messages.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import type { ModelCall } from '../support/model-server.ts';
import { never } from '../support/watching.ts';

const every = process.env.COX_MATRIX === 'full' ? 1 : 7;
const script = join(import.meta.dirname, 'worker-process.ts');

interface Run {
  readonly output: string | null;
  readonly outcome: string;
  readonly booked: number;
  readonly doubts: number;
  readonly finals: Map<string, Receipt[]>;
  readonly points: string[];
  readonly died: boolean;
}

let crew: TestCrew;
beforeAll(async () => {
  crew = await testCrew();
  crew.model.answer(bookkeeper);
});
afterAll(() => crew.stop());

/** A model without a memory of its own: what it does next follows from the conversation alone. */
function bookkeeper(call: ModelCall): void {
  const results = call.texts('tool').length;
  const user = call.texts('user').join('\n');
  const what = /Book (\w+)/.exec(user)?.[1] ?? 'x';
  if (user.includes('Results:')) call.reply('Both are booked.');
  else if (results === 0) call.call('look', { what });
  else if (results === 1) call.call('book', { what });
  else if (results === 2) call.call('ask_operator', { question: `Is ${what} right?` });
  else call.reply(`${what} is booked${user.includes('in euros') ? ' in euros' : ''}`);
}

async function run(name: string, crashAt: string | null): Promise<Run> {
  const world = join(crew.folder, `world-${name}`);
  const points = join(crew.folder, `points-${name}`);
  const env = { ...crew.env, COX_NAMESPACE: name, MODEL_URL: crew.model.url, WORLD: world, ACK_WAIT_MS: '1000' };
  const joined = await crew.join(`driver-${name}`, name);
  const start = async (more: NodeJS.ProcessEnv) => {
    const child = spawn(process.execPath, [script], {
      env: { ...env, ...more } as NodeJS.ProcessEnv,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const gone = once(child, 'exit');
    await Promise.race([once(child.stdout, 'data'), gone]);
    return { child, gone };
  };
  const plan = {
    tasks: ['apples', 'pears'].map((key) => ({ key, type: 'clerk', instruction: `Book ${key}`, backend: 'main' })),
    reduce: { by: 'orchestrator' as const, instruction: 'Say what is booked' },
  };
  const first = await start(crashAt === null ? { COX_CRASH_LOG: points } : { COX_CRASH_AT: crashAt });
  let died = false;
  let second = null as typeof first | null;
  const succession = first.gone.then(async ([, signal]) => {
    died = signal === 'SIGKILL';
    if (died) second = await start({});
  });
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'Keep the books', plan });
  const operator = operate(joined, id);
  await joined.crew.steer(id, { type: 'steer', id: 'euros', text: 'in euros', urgency: 'next-step' });
  const result = await joined.crew.result(id, never);
  const { doubts, finals } = await operator();
  // The crash may come while the first is on its way out: whoever takes over is there once the succession is settled.
  first.child.kill('SIGTERM');
  await succession;
  second?.child.kill('SIGTERM');
  await second?.gone;
  await joined.close();
  const lines = existsSync(world) ? (await readFile(world, 'utf8')).trim().split('\n') : [];
  return {
    output: result.output,
    outcome: result.outcome,
    booked: lines.filter((line) => line.startsWith('book ')).length,
    doubts,
    finals,
    points: existsSync(points) ? (await readFile(points, 'utf8')).trim().split('\n') : [],
    died,
  };
}

/** A cooperative operator: answers every question of the tree once. @returns what it saw. */
function operate(joined: Joined, id: string): () => Promise<{ doubts: number; finals: Map<string, Receipt[]> }> {
  const stop = new AbortController();
  const answered = new Map<string, number>();
  const finals = new Map<string, Receipt[]>();
  let doubts = 0;
  const answer = async (task: string, question: { id: string; kind: string }) => {
    const isDoubt = question.kind === 'in-doubt';
    if (isDoubt) doubts++;
    // The truth is in the outside world; this operator has looked there.
    const text = isDoubt ? 'it ran' : 'yes';
    await joined.crew.steer(task, { type: 'answer', id: `answer-${question.id}`, question: question.id, text });
  };
  const see = async ({ kind, ...event }: CrewEvent) => {
    if (kind !== 'status' || !('status' in event)) return;
    const { status } = event;
    for (const receipt of status.receipts)
      if (receipt.fate === 'applied' || receipt.fate === 'returned') {
        const key = `${status.id} ${receipt.steer}`;
        finals.set(key, [...(finals.get(key) ?? []), receipt]);
      }
    const key = `${status.id} ${status.question?.id}`;
    if (status.question && !answered.has(key)) {
      answered.set(key, 1);
      await answer(status.id, status.question);
    }
  };
  const watching = (async () => {
    for await (const event of joined.crew.watch(id, stop.signal)) await see(event);
  })();
  return async () => {
    await joined.bus.nc.flush();
    stop.abort();
    await watching;
    return { doubts, finals };
  };
}

test('a worker killed at any write or tool call changes nothing but, at most, a question about a doubtful effect', async () => {
  const calm = await run('calm', null);
  expect(calm).toMatchObject({ outcome: 'completed', booked: 2, doubts: 0 });
  const points = calm.points.filter((_, i) => i % every === 0);
  const table = { points: calm.points.length, tried: 0, killed: 0, asked: 0, changed: 0, lost: 0, doubled: 0 };
  const faults: string[] = [];
  for (const [i, point] of points.entries()) {
    const crashed = await run(`crash${i}`, point);
    const { died, doubts, outcome, output, booked, finals } = crashed;
    const isChanged = outcome !== 'completed' || !output?.includes('Both are booked.');
    const isLost = booked + doubts < 2 || finals.size < calm.finals.size;
    const isDoubled = booked > 2 || [...finals.values()].some((receipts) => receipts.length !== 1);
    table.tried++;
    if (died) table.killed++;
    if (doubts > 0) table.asked++;
    if (isChanged) table.changed++;
    if (isLost) table.lost++;
    if (isDoubled) table.doubled++;
    if (isChanged || isLost || isDoubled)
      faults.push(`killed at ${point}: ${JSON.stringify({ ...crashed, points: undefined, finals: [...finals] })}`);
  }
  console.log(`crash matrix: ${JSON.stringify(table)}`);
  expect(faults).toEqual([]);
  expect(table.killed).toBeGreaterThan(points.length / 2);
}, 1_800_000);
