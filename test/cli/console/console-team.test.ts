/** The console of a crew with roles, at a server of others: the page is a member of its own, which only reads. */
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { consoleFor, openPage, startChromium } from '../../support/console-page.ts';
import { TeamCrew } from '../../support/team-crew.ts';
import { statusWhere } from '../../support/watching.ts';

let crew: TeamCrew;
let browser: Browser;
let ann: CrewSession;

beforeAll(async () => {
  const members = { host: ['supervisor', 'worker'], ann: ['operator'], page: ['console'], watcher: ['observer'] } as const;
  [crew, browser] = await Promise.all([TeamCrew.start(members), startChromium()]);
  await crew.node(await crew.join('host'));
  ann = await crew.join('ann');
});
afterAll(async () => {
  await browser?.close();
  await crew?.stop();
});

test('its page reads with the key of that member, which stays in the console, and its orders are those of the operator', async () => {
  const console = await consoleFor(ann, { websocket: crew.websocketUrl, credentials: crew.fileOf('page') });
  const { page, context, complaints } = await openPage(browser, console.link);
  const { seed } = crew.member('page');
  const heard: string[] = [];
  context.on('response', async (response) => heard.push(await response.text().catch(() => '')));
  const task = await ann.crew.dispatch({ type: 'reasoning', instruction: 'Think of a number' });
  const call = await crew.model.next();
  await page.goto(`${console.url}?again#/goal/${task}`);
  await page.getByRole('treeitem', { name: /Think of a number/ }).waitFor();
  await page
    .getByRole('banner')
    .getByRole('button', { name: /unlock$/ })
    .click();
  await page.getByLabel(`Correct ${task} in words`).fill('an even one');
  await page.getByRole('button', { name: 'Steer', exact: true }).click();
  await call.closed;
  const next = await crew.model.next();
  expect(next.texts('user').join()).toContain('an even one');
  const { receipts } = await statusWhere(ann.crew, task, (status) => status.receipts.length > 0);
  expect(receipts.at(-1)?.by).toBe('ann');
  next.reply('two');
  await page.getByText('1 of 1 task ended').waitFor();
  expect(heard.join()).toContain('"sig"');
  expect(heard.join()).not.toContain(seed);
  expect(complaints).toEqual([]);
  await context.close();
  await console.close();
});

test.each([
  ['without both options', {}, /--websocket/],
  ['without the file of a member', { websocket: 'ws://127.0.0.1:1' }, /--credentials/],
  ['with the file of a member who may write', { websocket: 'ws://127.0.0.1:1', credentials: 'ann' }, /roles are operator/],
  ['with the file of an observer', { websocket: 'ws://127.0.0.1:1', credentials: 'watcher' }, /roles are observer/],
  ['with an address that is none', { websocket: 'http://x', credentials: 'page' }, /no address of a WebSocket/],
] as const)('%s it is an error that says how to get them', async (_what, named, words) => {
  const credentials = 'credentials' in named ? { credentials: crew.fileOf(named.credentials) } : {};
  await expect(consoleFor(ann, { ...named, ...credentials })).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(words),
    hint: expect.stringMatching(/cox crew invite|wss:/),
  });
});

test('a file that is not there is an error', async () => {
  const credentials = join(crew.folder, 'nowhere.json');
  await expect(consoleFor(ann, { websocket: 'ws://127.0.0.1:1', credentials })).rejects.toMatchObject({ code: 'bad-crew-file' });
});
