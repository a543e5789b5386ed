/** What tasks did to files is undone by a task of its own, and only where the file is as they left it. */
import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { defineKind } from '../../../actors/kinds/define-kind.ts';
import { undoKind } from '../../../actors/kinds/undo.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import { writeFileTool } from '../../../actors/tools/files/write-file.ts';
import { defineTool } from '../../../actors/tools/tool.ts';
import { Artifacts } from '../../../bus/artifacts/artifacts.ts';
import { planUndo, startUndo } from '../../../bus/undo.ts';
import { type Effects, givenUp, type ToolCall } from '../../../machines/conversation.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { HeldTool } from '../../support/tools.ts';
import { never, statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
const held = new HeldTool('wait', 'writes');
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
  await crew.node(joined, { kinds: [scribe], rosterYaml: 'tools: { gated: [] }', quietMs: 20 });
});
afterEach(() => crew.stop());

const removeTool = defineTool({
  name: 'remove_file',
  description: 'Remove a file.',
  args: z.object({ path: z.string() }),
  effects: 'writes',
  run: async ({ path }, context) => {
    const file = join(context.workspace, path);
    const kept = await context.keep?.({ bytes: await readFile(file), mode: (await stat(file)).mode });
    await rm(file);
    const change = { target: path, kind: 'deleted' as const, added: 0, removed: 3, before: kept!.name, after: null };
    return { text: 'removed', changes: [change] };
  },
});
/** Carries out its instruction, `write a.txt one; remove b.txt`, a call in each step. */
const scribe = defineKind({
  name: 'scribe',
  tools: [writeFileTool, removeTool, held.tool],
  think: ({ instruction, step }) => {
    const [verb, path, text = ''] = instruction.split('; ')[step - 1]?.split(' ') ?? [];
    if (verb === 'write') return { text: '', calls: [{ tool: 'write_file', args: { path, text } }] };
    if (verb === 'remove') return { text: '', calls: [{ tool: 'remove_file', args: { path } }] };
    if (verb === 'wait') return { text: '', calls: [{ tool: 'wait', args: {} }] };
    return 'done';
  },
});

const at = (name: string) => join(crew.folder, name);
const has = (name: string) => readFile(at(name), 'utf8').catch(() => null);
async function did(instruction: string): Promise<string> {
  const id = await joined.crew.dispatch({ type: 'scribe', instruction });
  expect((await joined.crew.result(id, never)).outcome).toBe('completed');
  return id;
}
async function undo(of: string, step: number | null = null) {
  const id = await startUndo(joined.crew, await planUndo(joined.crew, of, step));
  const { outcome, output, effects } = await joined.crew.result(id, never);
  expect(outcome).toBe('completed');
  return { id, output, effects: effects!.map((effect) => `${effect.outcome} ${effect.kind ?? ''} ${effect.target}`) };
}

test('a changed file gets its text back, a created one goes, a removed one comes back with its mode', async () => {
  await writeFile(at('a.txt'), 'old a');
  await writeFile(at('b.sh'), 'old b');
  await chmod(at('b.sh'), 0o750);
  const id = await did('write a.txt new; write c.txt new; remove b.sh');
  expect([await has('a.txt'), await has('b.sh'), await has('c.txt')]).toEqual(['new', null, 'new']);
  const { effects, output } = await undo(id);
  expect([await has('a.txt'), await has('b.sh'), await has('c.txt')]).toEqual(['old a', 'old b', null]);
  expect((await stat(at('b.sh'))).mode & 0o777).toBe(0o750);
  expect(effects).toEqual(['done created b.sh', 'done deleted c.txt', 'done changed a.txt']);
  expect(output).toBe(
    `restored b.sh as before ${id}, step 3\nremoved c.txt as before ${id}, step 2\nrestored a.txt as before ${id}, step 1`,
  );
  expect(crew.model.calls).toEqual([]);
});

test('lines are counted the other way round', async () => {
  await writeFile(at('b.txt'), 'old b');
  const { id } = await undo(await did('remove b.txt'));
  expect((await joined.crew.peekResult(id))!.effects).toMatchObject([{ target: 'b.txt', added: 3, removed: 0 }]);
});

test('several changes of one file are undone back to the first, or one step alone', async () => {
  await writeFile(at('a.txt'), '0');
  const id = await did('write a.txt 1; write a.txt 2; write a.txt 1; write a.txt 2');
  await undo(id, 4);
  expect(await has('a.txt')).toBe('1');
  // The file is no longer as step 4 has left it, so the undo goes on from step 3.
  await undo(id);
  expect(await has('a.txt')).toBe('0');
});

test('the way back of a file does not lead over a later change of the same task', async () => {
  await writeFile(at('a.txt'), '0');
  const id = await joined.crew.dispatch({
    type: 'scribe',
    instruction: 'write a.txt 1; write a.txt 2; write a.txt 1; wait; write a.txt 2',
  });
  const run = await held.next();
  await writeFile(at('a.txt'), 'mine');
  run.returns('ok');
  await joined.crew.result(id, never);
  await writeFile(at('a.txt'), '1');
  await undo(id);
  expect(await has('a.txt')).toBe('0');
});

test('an undo can be undone, and so on', async () => {
  await writeFile(at('a.txt'), 'old');
  const first = await undo(await did('write a.txt new; write b.txt new'));
  expect([await has('a.txt'), await has('b.txt')]).toEqual(['old', null]);
  const second = await undo(first.id);
  expect([await has('a.txt'), await has('b.txt')]).toEqual(['new', 'new']);
  await undo(second.id);
  expect([await has('a.txt'), await has('b.txt')]).toEqual(['old', null]);
});

test('a file that has changed since is left alone and named, and the others are restored', async () => {
  await writeFile(at('a.txt'), 'old a');
  await writeFile(at('b.txt'), 'old b');
  const id = await did('write a.txt new; write b.txt new; write c.txt new; write d.txt new');
  await writeFile(at('a.txt'), 'mine');
  await rm(at('c.txt'));
  const { effects, output } = await undo(id);
  expect([await has('a.txt'), await has('b.txt'), await has('c.txt'), await has('d.txt')]).toEqual(['mine', 'old b', null, null]);
  // The file c.txt, which the task had created, is gone: nothing is left to undo there.
  expect(effects).toEqual(['done deleted d.txt', 'done  c.txt', 'done changed b.txt', 'failed  a.txt']);
  expect(output).toContain(`a.txt has changed since ${id}, step 1`);
  expect(output).toContain('c.txt is already as it was before');
});

test('all changes of the tasks of a goal are undone, whoever made the last one', async () => {
  await writeFile(at('a.txt'), 'old');
  const tasks = ['write a.txt 1; write b.txt 1', 'write a.txt 2'].map((instruction, i) => ({
    ...{ key: `t${i}`, type: 'scribe', instruction },
    ...(i > 0 && { after: [`t${i - 1}`] }),
  }));
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'g', plan: { tasks, reduce: { by: 'concat' } } });
  await joined.crew.result(id, never);
  await expect(planUndo(joined.crew, id, 1)).rejects.toMatchObject({ code: 'usage' });
  const { effects } = await undo(id);
  expect([await has('a.txt'), await has('b.txt')]).toEqual(['old', null]);
  expect(effects).toEqual(['done changed a.txt', 'done deleted b.txt']);
});

test('one sub-task is undone without the others', async () => {
  const tasks = ['write a.txt 1', 'write b.txt 1'].map((instruction, i) => ({ key: `t${i}`, type: 'scribe', instruction }));
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'g', plan: { tasks, reduce: { by: 'concat' } } });
  await joined.crew.result(id, never);
  await undo(id.replace('.0', '.2'));
  expect([await has('a.txt'), await has('b.txt')]).toEqual(['1', null]);
});

test('a task that has not ended is not undone, since it may write again', async () => {
  const id = await joined.crew.dispatch({ type: 'scribe', instruction: 'write a.txt 1; wait' });
  const run = await held.next();
  await expect(planUndo(joined.crew, id, null)).rejects.toMatchObject({ code: 'task-unfinished' });
  run.returns('ok');
  await joined.crew.result(id, never);
  await expect(planUndo(joined.crew, 'none.0', null)).rejects.toMatchObject({ code: 'unknown-task' });
  const { files, left } = await planUndo(joined.crew, id, null);
  expect(files.map(({ path }) => path)).toEqual(['a.txt']);
  expect(left).toMatchObject([{ task: id, step: 2, target: 'wait', why: 'wait does not say what it changed' }]);
});

test('what is not kept any more is not restored, and the task says so', async () => {
  await writeFile(at('a.txt'), 'old');
  const id = await did('write a.txt new');
  const plan = await planUndo(joined.crew, id, null);
  await joined.bus.jsm.streams.purge(joined.bus.subjects.artifactStream);
  const result = await joined.crew.result(await startUndo(joined.crew, plan), never);
  expect(result.effects).toMatchObject([{ target: 'a.txt', outcome: 'failed' }]);
  expect(result.output).toContain(`${id}/s1-0/0 is not kept any more`);
  expect(await has('a.txt')).toBe('new');
});

test('a correction of an undo changes nothing, and a path outside of the workspace is refused', async () => {
  const { type, ...plan } = await planUndo(joined.crew, await did('write a.txt new'), null);
  const outside = { path: '../outside.txt', changes: plan.files[0]!.changes };
  const id = await startUndo(joined.crew, { ...plan, type, files: [outside, ...plan.files] });
  await joined.crew.steer(id, { type: 'steer', text: 'rather not' });
  const result = await joined.crew.result(id, never);
  expect(result.output).toContain('outside the workspace');
  expect(await has('a.txt')).toBeNull();
});

test('an undo that is paused before it begins goes on when it is resumed', async () => {
  const plan = await planUndo(joined.crew, await did('write a.txt new'), null);
  const id = await startUndo(joined.crew, plan);
  await joined.crew.steer(id, { type: 'pause' });
  await joined.crew.steer(id, { type: 'resume' });
  await statusWhere(joined.crew, id, ({ outcome }) => outcome !== null);
  expect(await has('a.txt')).toBeNull();
  expect(await new Artifacts(joined.bus).read(`${id}/s1-0/0`)).not.toBeNull();
});

test.each<[string, boolean, Effects]>([
  ['not run', false, 'writes'],
  ['stopped', true, 'none'],
  ['may have run', true, 'writes'],
])('a file whose call was given up as "%s" is tried again, and one that was refused is not', async (word, started, effects) => {
  const plan = await planUndo(joined.crew, await did('write a.txt new; write b.txt new'), null);
  const kind = undoKind(new Artifacts(joined.bus), plan);
  const call = (path: string): ToolCall => ({ id: path, tool: 'restore_file', args: { path }, effects, started });
  const dropped = givenUp([call('a.txt')], 'it was paused');
  expect(dropped).toEqual([{ role: 'tool', call: 'a.txt', text: expect.stringMatching(`^${word}: `) }]);
  const messages = [
    { role: 'assistant' as const, text: '', calls: [call('a.txt'), call('b.txt')] },
    ...dropped,
    { role: 'tool' as const, call: 'b.txt', text: 'b.txt has changed since' },
  ];
  const reply = await kind.think!({ instruction: '', messages, context: [], step: 2 }, never);
  expect(reply).toEqual({ text: '', calls: [{ tool: expect.any(String), args: { path: 'a.txt' } }] });
});
