import { afterEach, beforeEach, expect, test } from 'vitest';
import { type TestCrew, testCrew } from '../support/crew.ts';
import { never } from '../support/watching.ts';

let crew: TestCrew;
beforeEach(async () => {
  crew = await testCrew();
});
afterEach(() => crew.stop());

test('a roster whose kind names a tool that nobody has is refused before anything is claimed', async () => {
  const joined = await crew.join();
  const rosterYaml = 'tools: { gated: [] }';
  const kinds = 'agents: { odd: { prompt: x, tools: [fly] } }';
  const { parseRoster } = await import('../../roster/load.ts');
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

test('a task that names a workspace outside the node’s own fails on a shared server, with the reason', async () => {
  const joined = await crew.join();
  const shared = { ...joined, server: { ...joined.server, embedded: false } };
  await crew.node(shared);
  const id = await joined.crew.dispatch({ type: 'files', instruction: 'look', workspace: '/etc' });
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'failed', failure: { code: 'workspace-refused' } });
});
