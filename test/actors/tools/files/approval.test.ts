/** The file tools under approval, on a real node. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../../actors/node/join.ts';
import { type TestCrew, testCrew } from '../../../support/crew.ts';
import { never, statusWhere } from '../../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
let workspace: string;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
  workspace = join(crew.folder, 'workspace');
  await mkdir(workspace);
  await writeFile(join(workspace, 'a.txt'), 'alpha\r\nbeta\r\n');
  await crew.node(joined);
});
afterEach(() => crew.stop());

const dispatch = () => joined.crew.dispatch({ type: 'files', instruction: 'Change it', workspace });
const asked = async (id: string, not = '') =>
  (await statusWhere(joined.crew, id, ({ question }) => question !== null && question.id !== not)).question!;
const answer = (id: string, question: string, text: string) => joined.crew.steer(id, { type: 'answer', question, text });

test('an edit is shown as a diff, is asked about again if the file has changed, and is listed with what it changed', async () => {
  const id = await dispatch();
  (await crew.model.next()).call('edit_file', { path: './a.txt', old: 'beta', new: 'BETA' });
  const first = await asked(id);
  expect(first.text).toContain(
    'May it run edit_file on a.txt?\nchanges a.txt: 13 bytes → 13 bytes (+1 −1); keeps CRLF line ends\n',
  );
  expect(first.text).toContain('\n alpha\n-beta\n+BETA');
  await writeFile(join(workspace, 'a.txt'), 'alpha\r\nbeta\r\ngamma\r\n');
  await answer(id, first.id, 'yes');
  const second = await asked(id, first.id);
  expect(second.text).toContain(' alpha\n-beta\n+BETA\n gamma');
  expect(await readFile(join(workspace, 'a.txt'), 'utf8')).toBe('alpha\r\nbeta\r\ngamma\r\n');
  await answer(id, second.id, 'yes');
  (await crew.model.next()).reply('done');
  const { effects } = await joined.crew.result(id, never);
  expect(effects).toMatchObject([{ tool: 'edit_file', target: 'a.txt', outcome: 'done', kind: 'changed', added: 1, removed: 1 }]);
  expect(await readFile(join(workspace, 'a.txt'), 'utf8')).toBe('alpha\r\nBETA\r\ngamma\r\n');
});

test('what could not be done anyway is told to the model, and nobody is asked', async () => {
  const id = await dispatch();
  (await crew.model.next()).end([
    { tool: 'write_file', args: { path: '../x.txt', text: 'x' } },
    { tool: 'edit_file', args: { path: 'a.txt', old: 'delta', new: 'x' } },
    { tool: 'read_file', args: { path: 'a.txt' } },
    { tool: 'apply_patch', args: { patch: '--- a/z.txt\n+++ b/z.txt\n@@ -1 +1 @@\n-x\n+y\n' } },
  ]);
  const call = await crew.model.next();
  const [outside, absent, , missing] = call.texts('tool');
  expect(outside).toContain('outside the workspace');
  expect(absent).toContain('does not have this text');
  expect(missing).toContain('there is no file z.txt; the workspace has a.txt');
  call.reply('nothing to do');
  expect((await joined.crew.result(id, never)).outcome).toBe('completed');
});
