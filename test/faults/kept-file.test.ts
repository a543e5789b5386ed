/**
 * A worker dies around a write: before it has kept the old file, while it keeps it, before it replaces it, and after that. The
 * call runs again on another worker, and what is kept is always what was there before the first run.
 */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../actors/node/join.ts';
import { Artifacts } from '../../bus/artifacts/artifacts.ts';
import { planUndo, startUndo } from '../../bus/undo.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { never, statusWhere } from '../support/watching.ts';
import { Nodes } from './nodes.ts';
import { Outside } from './outside.ts';

let crew: TestCrew;
let joined: CrewSession;
let outside: Outside;
let nodes: Nodes;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
  outside = await Outside.start();
  nodes = new Nodes(crew, outside);
});
afterEach(async () => {
  await nodes.stop();
  await outside.stop();
  await crew.stop();
});

/** The writes of an artifact of one part: the part, then the head. */
function writes(): void {
  crew.model.answer((call) => {
    if (call.texts('tool').length > 0) call.reply('done');
    else call.call('write_file', { path: 'a.txt', text: 'new' });
  });
}
async function allowed(workspace: string): Promise<string> {
  const id = await joined.crew.dispatch({ type: 'files', instruction: 'write', workspace });
  const { question } = await statusWhere(joined.crew, id, (status) => status.question !== null);
  await joined.crew.steer(id, { type: 'answer', question: question!.id, text: 'approve' });
  return id;
}

test.each([
  ['artifact:before#1', 'old'],
  ['artifact:after#1', 'old'],
  ['artifact:after#2', 'old'],
  ['tool:after#1', 'old'],
  ['artifact:before#1', null],
  ['artifact:after#1', null],
  ['tool:after#1', null],
])('a worker that dies at %s has kept %j, or the next one does', async (crashAt, before) => {
  const workspace = await mkdtemp(join(crew.folder, 'workspace-'));
  const file = join(workspace, 'a.txt');
  if (before !== null) await writeFile(file, before, { mode: 0o640 });
  writes();
  const first = await nodes.start('first', { COX_CRASH_AT: crashAt });
  const id = await allowed(workspace);
  await first.gone;
  await nodes.start('second');
  expect((await joined.crew.result(id, never)).outcome).toBe('completed');
  expect(await readFile(file, 'utf8')).toBe('new');
  const kept = await new Artifacts(joined.bus).read(`${id}/s1-0/0`);
  expect(kept && { text: Buffer.from(kept.bytes).toString(), mode: kept.mode }).toEqual(
    before === null ? null : { text: before, mode: 0o640 },
  );
});

test.each(['artifact:after#1', 'artifact:after#2', 'tool:after#1', 'state:before#2'])(
  'an undo whose worker dies at %s is finished by the next one, and can be undone',
  async (crashAt) => {
    const workspace = await mkdtemp(join(crew.folder, 'workspace-'));
    const file = join(workspace, 'a.txt');
    await writeFile(file, 'old');
    writes();
    const healthy = await nodes.start('healthy');
    const id = await allowed(workspace);
    await joined.crew.result(id, never);
    await healthy.kill();
    const first = await nodes.start('first', { COX_CRASH_AT: crashAt });
    const undoing = await startUndo(joined.crew, await planUndo(joined.crew, id, null));
    await first.gone;
    const second = await nodes.start('second');
    const { effects } = await joined.crew.result(undoing, never);
    expect(effects).toMatchObject([{ target: 'a.txt', outcome: 'done', kind: 'changed', before: `${undoing}/s1-0/0` }]);
    expect(await readFile(file, 'utf8')).toBe('old');
    const again = await startUndo(joined.crew, await planUndo(joined.crew, undoing, null));
    await joined.crew.result(again, never);
    expect(await readFile(file, 'utf8')).toBe('new');
    await second.kill();
  },
);
