import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Roster } from '../../../roster/schema.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { testRoster } from '../../support/roster.ts';
import { never } from '../../support/watching.ts';

let crew: TestCrew;
beforeEach(async () => {
  crew = await testCrew();
});
afterEach(() => crew.stop());

test('a roster with a kind that names an unknown tool is refused before anything is claimed', async () => {
  const joined = await crew.join();
  const rosterYaml = 'tools: { gated: [] }';
  const kinds = 'agents: { odd: { prompt: x, tools: [fly] } }';
  const { parseRoster } = await import('../../../roster/load.ts');
  const roster = parseRoster(
    `backends: { main: { base_url: "${crew.model.url}", model: m, tier: local } }\n${kinds}\n${rosterYaml}`,
    '/r.yaml',
  );
  const starting = crew.node(joined, { roster: { current: () => roster } });
  await expect(starting).rejects.toMatchObject({
    code: 'roster-unknown-tool',
    message: 'agents.odd.tools: there is no tool fly',
  });
});

test.each([
  ['outside the node’s own', () => '/etc'],
  ['that is a link out of the node’s own', () => join(crew.folder, 'link')],
  ['that is not there yet', () => join(crew.folder, 'nothing')],
])('a task that names a workspace %s fails on a shared server, with the reason', async (_, workspace) => {
  const joined = await crew.join();
  const shared = { ...joined, server: { ...joined.server, embedded: false } };
  await crew.node(shared);
  await symlink('/etc', join(crew.folder, 'link'));
  const id = await joined.crew.dispatch({ type: 'files', instruction: 'look', workspace: workspace() });
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'failed', failure: { code: 'workspace-refused' } });
});

test('a node works on the kinds of its roster as the roster changes, and goes on with tasks that it holds', async () => {
  const joined = await crew.join();
  const plain = testRoster(crew.model.url);
  const withPoet = (tools: string[]) => {
    const poet = { ...plain.agents.reasoning!, prompt: 'Rhyme.', tools };
    return { ...plain, agents: { ...plain.agents, poet } };
  };
  const roster = { now: plain, changed: () => {} };
  const notes: string[] = [];
  const node = await crew.node(joined, {
    roster: {
      current: () => roster.now,
      onChange(listener) {
        roster.changed = listener;
        return () => {};
      },
    },
    note: (text) => notes.push(text),
  });
  const change = (to: Roster) => {
    roster.now = to;
    roster.changed();
  };
  expect(node.report().types).toEqual(['supervisor', 'files', 'reasoning']);

  change(withPoet(['fly']));
  const id = await joined.crew.dispatch({ type: 'poet', instruction: 'on the sea' });
  const call = await crew.model.next();
  expect(call.texts('system')[0]).toContain('Rhyme.');
  expect(node.report().types).toContain('poet');
  expect(notes.join()).toContain('there is no tool fly');

  change(plain);
  const waits = await joined.crew.dispatch({ type: 'poet', instruction: 'on the hills' });
  call.reply('free');
  expect((await joined.crew.result(id, never)).output).toBe('free');
  expect(node.report().types).toEqual(['supervisor', 'files', 'reasoning']);

  // The node that no longer knows the kind did not take the task.
  expect(await joined.crew.status(waits)).toMatchObject({ state: 'idle', outcome: null });
  change(withPoet([]));
  (await crew.model.next()).reply('thrills');
  expect((await joined.crew.result(waits, never)).output).toBe('thrills');
});
