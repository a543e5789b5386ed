/** The roster page in a real Chromium: a roster file of a node that follows it is edited from the page. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import type { RosterSource } from '../../../roster/find-roster.ts';
import { type LiveRoster, openRoster } from '../../../roster/live-roster.ts';
import { screensFolder, startChromium } from '../../support/console-page.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { mustFit, type OwnPage, openOwnPage } from './own-pages.ts';

let crew: TestCrew;
let joined: CrewSession;
let browser: Browser;
let screens: Awaited<ReturnType<typeof screensFolder>>;
let folder: string;
let file: string;
let live: LiveRoster;
const text = (url: string) => `# mine
backends:
  # a frontier model
  frontier-4.1:
    base_url: ${url}   # over there
    model: scripted
    tier: api
    key: env:COX_TEST_SECRET_NAME
    cost: { input: 2, output: 8 }
    good_at: [plan]
  local: { base_url: "${url}", model: other, tier: local, good_at: [files], can_orchestrate: true } # here
budgets: { goal_usd: 5 } # dollars
`;
beforeAll(async () => {
  [crew, browser, screens, folder] = await Promise.all([
    testCrew(),
    startChromium(),
    screensFolder(),
    mkdtemp(join(tmpdir(), 'cox-roster-page-')),
  ]);
  joined = await crew.join();
  file = join(folder, 'roster.yaml');
  await writeFile(file, text(crew.model.url));
  live = await openRoster({ env: {}, path: file, folders: joined.folders, cwd: folder, log: pino({ level: 'silent' }) });
  await crew.node(joined, { roster: live });
});
beforeEach(async () => {
  await writeFile(file, text(crew.model.url));
  await rm(`${file}.bak`, { force: true });
});
afterAll(async () => {
  await browser?.close();
  await crew?.stop();
  live?.stop();
  await screens?.remove();
  await rm(folder, { recursive: true, force: true });
});

async function open(options = {}, source: RosterSource = { file, by: '--roster' }): Promise<OwnPage> {
  const opened = await openOwnPage(browser, joined, { screens: screens.folder, roster: async () => source, options });
  onTestFinished(() => opened.close());
  await opened.go('#/roster');
  await opened.page.getByRole('article', { name: 'frontier-4.1' }).waitFor();
  return opened;
}

test('knobs are changed with the difference shown before it is written, and the node takes the file up', async () => {
  const { page, unlock, shot, violations, complaints } = await open();
  const frontier = page.getByRole('article', { name: 'frontier-4.1' });
  await frontier.locator('.state', { hasText: 'off' }).waitFor();
  await frontier.getByText('$2 in · $8 out per million tokens').waitFor();
  await page.getByText('Nothing was spent in this time.').waitFor();
  await frontier.getByLabel(/^on \(opt_in\)/).check();
  await frontier.getByLabel(/^good at/).fill('plan');
  await frontier.getByLabel(/^good at/).pressSequentially(', code');
  expect(await frontier.getByLabel(/^good at/).inputValue()).toBe('plan, code');
  await page.getByLabel(/^dollars a goal may cost/).fill('7.5');
  await page.getByLabel(/^who reduces/).selectOption('concat');
  await page.getByText('4 changes not written').waitFor();
  await page.getByRole('button', { name: 'Show the difference' }).click();
  await page.getByText('+budgets: { goal_usd: 7.5 } # dollars').waitFor();
  expect(await readFile(file, 'utf8')).toBe(text(crew.model.url));
  expect(await page.getByRole('button', { name: 'Write it' }).isDisabled()).toBe(true);
  expect(await violations()).toEqual([]);
  await shot('roster-difference');
  await unlock();
  await page.getByRole('button', { name: 'Write it' }).click();
  await frontier.locator('.state', { hasText: 'off' }).waitFor({ state: 'detached' });
  expect(await readFile(file, 'utf8')).toBe(
    text(crew.model.url)
      .replace('frontier-4.1:\n', 'frontier-4.1:\n    opt_in: true\n')
      .replace('[plan]', '[plan, code]')
      .replace('goal_usd: 5', 'goal_usd: 7.5')
      .concat('reducer: concat\n'),
  );
  expect((await readdir(folder)).toSorted()).toEqual(['roster.yaml', 'roster.yaml.bak']);
  expect(live.current()).toMatchObject({ reducer: 'concat', budgets: { goalUsd: 7.5 } });
  expect(complaints).toEqual([]);
});

test('a file that somebody has changed meanwhile is not written over', async () => {
  const { page, unlock } = await open();
  await unlock();
  await page
    .getByRole('article', { name: 'local' })
    .getByLabel(/^calls at once/)
    .fill('2');
  await page.getByRole('button', { name: 'Show the difference' }).click();
  await page.getByText(/concurrency: 2/).waitFor();
  const other = `${text(crew.model.url)}# a note\n`;
  await writeFile(file, other);
  await page.getByRole('button', { name: 'Write it' }).click();
  await page.getByRole('alert').getByText('The roster has changed since').waitFor();
  expect(await readFile(file, 'utf8')).toBe(other);
});

test('what the schema does not take is said with path and line, and nothing of a key is in the page', async () => {
  const { page } = await open();
  await page
    .getByRole('article', { name: 'local' })
    .getByLabel(/^calls at once/)
    .fill('0');
  await page.getByRole('button', { name: 'Show the difference' }).click();
  await page
    .getByRole('alert')
    .getByText(/roster\.yaml:11:\d+: backends\.local\.concurrency/)
    .waitFor();
  expect(await page.content()).not.toContain('COX_TEST_SECRET_NAME');
});

test('the shipped roster is not edited, and the page says how to make an own one', async () => {
  const { page } = await open({}, { file, by: 'shipped' });
  await page.getByLabel(/^who reduces/).selectOption('concat');
  await page.getByRole('button', { name: 'Show the difference' }).click();
  await page
    .getByRole('alert')
    .getByText(/Copy it first/)
    .waitFor();
});

test('the page fits on a phone, dark, and is used by keyboard', async () => {
  const { page, violations, shot } = await open({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
  const knob = page.getByRole('article', { name: 'local' }).getByLabel('gets sub-tasks');
  await knob.focus();
  await page.keyboard.press('Space');
  await page.getByText('1 change not written').waitFor();
  await mustFit(page);
  expect(await violations()).toEqual([]);
  await shot('roster-phone-dark');
});
