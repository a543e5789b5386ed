/**
 * A goal on the real small model: decompose, fan out, reduce. The test checks that the parts fit together, not what the model
 * says.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import { parseRoster } from '../../roster/load.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { never } from '../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

const roster = parseRoster(
  `backends:
  local: { kind: embedded, model: small, tier: local, good_at: [files, reasoning, plan], can_orchestrate: true, context: 4096 }
agents:
  files:
    prompt: You answer from the files of one folder. Read the file that the task names with read_file, then answer.
    tools: [read_file]
    needs: [files]
    limits: { steps: 6 }
  clerk:
    prompt: You write files.
    tools: [read_file, write_file]
    needs: [files]
    limits: { steps: 6 }
`,
  '/roster.yaml',
);

/** Answers any question of a task: a small model sometimes asks, repeats itself or runs out of steps. */
async function operate(root: string, signal: AbortSignal): Promise<void> {
  for await (const event of joined.crew.watch(root, signal)) {
    if (event.kind !== 'status' || !event.status.question) continue;
    const { id, question } = event.status;
    const text = question.kind === 'asked' ? 'Do as you think best.' : (question.choices?.at(-1) ?? 'stop');
    await joined.crew.steer(id, { type: 'answer', id: `answer-${question.id}`, question: question.id, text });
  }
}

test('the model splits a goal, its sub-tasks read files, and one answer is made of their results', async () => {
  await writeFile(join(crew.folder, 'cat.txt'), 'The cat is called Minka. She is grey and sleeps all day.\n');
  await writeFile(join(crew.folder, 'dog.txt'), 'The dog is called Rex. He is brown and barks at night.\n');
  await crew.node(joined, { roster: { current: () => roster } });
  const id = await joined.crew.dispatch({
    type: 'supervisor',
    instruction: 'Read cat.txt and dog.txt and say in one sentence what the animals are called',
    workspace: crew.folder,
  });
  const done = new AbortController();
  const operator = operate(id, done.signal);
  const result = await joined.crew.result(id, never);
  done.abort();
  await operator;
  const [goal, ...parts] = await joined.crew.tree(id);
  console.log(
    `0.5B: ${JSON.stringify({ parts: parts.map(({ key, outcome, steps }) => [key, outcome, steps]), output: result.output })}`,
  );
  expect(result).toMatchObject({ outcome: 'completed', failure: null });
  expect(result.output).toMatch(/(Sources|Failed): /);
  expect(goal).toMatchObject({ type: 'supervisor', outcome: 'completed', backend: 'local' });
  expect(parts.length).toBeGreaterThanOrEqual(1);
  for (const part of parts) {
    expect(part.outcome).not.toBeNull();
    expect(part.usage.inputTokens).toBeGreaterThan(0);
  }
  const spent = parts.reduce((sum, { usage }) => sum + usage.outputTokens, 0);
  expect(result.usage.outputTokens).toBeGreaterThan(spent);
});

test('a goal that asks for a file ends as completed if the file is there, else it says that it is not', async () => {
  await writeFile(join(crew.folder, 'cat.txt'), 'The cat is called Minka. She is grey and sleeps all day.\n');
  await crew.node(joined, { roster: { current: () => roster } });
  const id = await joined.crew.dispatch({
    ...{ type: 'supervisor', instruction: 'Read cat.txt and write the name of the cat into name.txt', workspace: crew.folder },
    allowed: ['write_file'],
  });
  const done = new AbortController();
  const operator = operate(id, done.signal);
  const { outcome, output, effects = [] } = await joined.crew.result(id, never);
  done.abort();
  await operator;
  const written = await readFile(join(crew.folder, 'name.txt'), 'utf8').catch(() => null);
  console.log(`0.5B: ${JSON.stringify({ outcome, written, output })}`);
  const made = effects.filter(({ target, outcome }) => target === 'name.txt' && outcome === 'done');
  // The model may misread the goal. It may not claim anything.
  expect(made.length > 0).toBe(written !== null);
  if (written === null) expect(outcome === 'completed' ? output : 'Failed').toContain('Failed');
  else expect(output).toContain('created name.txt');
});
