/** What tools keep by `ToolContext.keep` before they replace it. */
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { defineKind } from '../../../actors/kinds/define-kind.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import { writeFileTool } from '../../../actors/tools/files/write-file.ts';
import { defineTool, type Kept } from '../../../actors/tools/tool.ts';
import { Artifacts, maxArtifactBytes } from '../../../bus/artifacts/artifacts.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { never, statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

const text = async (name: string) => Buffer.from((await new Artifacts(joined.bus).read(name))?.bytes ?? []).toString();
/** A kind that makes each of the calls once, one after the other, and ends. */
const caller = (tools: Parameters<typeof defineKind>[0]['tools'] & object, calls: readonly { tool: string; args: unknown }[]) =>
  defineKind({ name: 'caller', tools, think: ({ step }) => ({ text: 'done', calls: calls.slice(step - 1, step) }) });

test('each call keeps under names of its own, in the order in which it keeps', async () => {
  const got: (Kept | null)[] = [];
  const twice = defineTool({
    name: 'twice',
    description: 'keeps two things',
    args: z.object({ word: z.string() }),
    effects: 'writes',
    run: async ({ word }, { keep }) => {
      for (const n of [1, 2]) got.push(await keep!({ bytes: Buffer.from(`${word} ${n}`) }));
      return { text: 'kept' };
    },
  });
  const calls = ['a', 'b'].map((word) => ({ tool: 'twice', args: { word } }));
  await crew.node(joined, { kinds: [caller([twice], calls)] });
  const id = await joined.crew.dispatch({ type: 'caller', instruction: 'x' });
  await joined.crew.result(id, never);
  expect(got.map((kept) => kept?.name)).toEqual(['s1-0/0', 's1-0/1', 's2-0/0', 's2-0/1'].map((name) => `${id}/${name}`));
  expect(await Promise.all(got.map((kept) => text(kept!.name)))).toEqual(['a 1', 'a 2', 'b 1', 'b 2']);
});

test('a file that is too large to be kept is written all the same, and the operator is told that this cannot be undone', async () => {
  await writeFile(join(crew.folder, 'large.txt'), '');
  await truncate(join(crew.folder, 'large.txt'), maxArtifactBytes + 1);
  const write = { tool: 'write_file', args: { path: 'large.txt', text: 'small' } };
  await crew.node(joined, { kinds: [caller([writeFileTool], [write])], rosterYaml: 'tools: { gated: [] }' });
  const notes: string[] = [];
  const id = await joined.crew.dispatch({ type: 'caller', instruction: 'x' });
  await statusWhere(joined.crew, id, ({ note, outcome }) => {
    if (note) notes.push(note);
    return outcome !== null;
  });
  expect((await joined.crew.result(id, never)).outcome).toBe('completed');
  expect(notes.join()).toContain('write_file large.txt cannot be undone');
});

test('where nothing more can be kept a call waits, and replaces nothing until there is space', async () => {
  await new Artifacts(joined.bus).keep({ task: 'k3xq.0', call: 's1-0', n: 0 }, null);
  const file = join(crew.folder, 'a.txt');
  await writeFile(file, 'old');
  const full = Promise.withResolvers<void>();
  const note = (said: string) => /^The bus is full/.test(said) && full.resolve();
  const write = { tool: 'write_file', args: { path: 'a.txt', text: 'new' } };
  await joined.bus.jsm.streams.update(joined.bus.subjects.artifactStream, { max_bytes: 100 });
  await crew.node(joined, { kinds: [caller([writeFileTool], [write])], rosterYaml: 'tools: { gated: [] }', note });
  const id = await joined.crew.dispatch({ type: 'caller', instruction: 'x' });
  await full.promise;
  expect(await readFile(file, 'utf8')).toBe('old');
  await joined.bus.jsm.streams.update(joined.bus.subjects.artifactStream, { max_bytes: -1 });
  expect((await joined.crew.result(id, never)).outcome).toBe('completed');
  expect(await readFile(file, 'utf8')).toBe('new');
  expect(await text(`${id}/s1-0/0`)).toBe('old');
});
