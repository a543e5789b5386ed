/** A task whose Chromium is killed in the middle of a click, on a real node. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { foldersOf } from '../../../../platform/folders.ts';
import { parseRoster } from '../../../../roster/load.ts';
import { type TestCrew, testCrew } from '../../../support/crew.ts';
import { type Site, site } from '../../../support/site.ts';
import { never } from '../../../support/watching.ts';

let crew: TestCrew;
let form: Site;
const clicked = Promise.withResolvers<void>();
beforeAll(async () => {
  crew = await testCrew();
  form = await site({
    '/': `<h1>Order</h1><form method="post" action="/order"><input name="what" aria-label="What"><button>Send order</button></form>`,
    // It never answers, so the click is under way until the browser ends.
    '/order': () => clicked.resolve(),
  });
});
afterAll(async () => {
  await crew?.stop();
  await form?.stop();
});

test('the operator is asked whether the click took effect, and it is not repeated', async () => {
  const joined = await crew.join();
  const roster = parseRoster(
    `backends: { main: { base_url: "${crew.model.url}", model: scripted, tier: local } }
agents: { browser: { prompt: You work on pages., tools: [goto, fill, click] } }
web: { open: ["${form.url}"], origins: ["${form.url}"], on: { submit: allow } }`,
    '/roster.yaml',
  );
  await crew.node(joined, { roster: { current: () => roster } });
  const id = await joined.crew.dispatch({ type: 'browser', instruction: 'order tea' });
  (await crew.model.next()).call('goto', { url: `${form.url}/` });
  (await crew.model.next()).call('fill', { target: 'What', value: 'tea' });
  (await crew.model.next()).call('click', { target: 'Send order' });
  await clicked.promise;
  const folder = join(foldersOf(crew.env).state, 'browsers');
  const [place] = readdirSync(folder);
  process.kill(JSON.parse(readFileSync(join(folder, place!, 'owner.json'), 'utf8')).browser.pid, 'SIGKILL');
  for await (const event of joined.crew.watch(id, never)) {
    if (event.kind !== 'status' || !event.status.question) continue;
    expect(event.status.question).toMatchObject({ kind: 'in-doubt', choices: ['it ran', 'run it again', 'stop'] });
    break;
  }
  await joined.crew.steer(id, { type: 'answer', question: 'q1', text: 'it ran' });
  (await crew.model.next()).reply('The tea is ordered.');
  const { outcome, effects } = await joined.crew.result(id, never);
  expect(outcome).toBe('completed');
  expect(effects?.map(({ tool, outcome: end }) => [tool, end])).toEqual([
    ['fill', 'done'],
    ['click', 'done'],
  ]);
  expect(form.sent).toHaveLength(1);
}, 90_000);
