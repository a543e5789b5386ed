/** The talk page in a real Chromium: the talk of a prompt elsewhere, and lines that the page says to it. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import type { CoxNode } from '../../../actors/node/node.ts';
import type { PrimaryEvent } from '../../../actors/primary/events.ts';
import { screensFolder, startChromium } from '../../support/console-page.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { mustFit, type OwnPage, openOwnPage } from './own-pages.ts';

let crew: TestCrew;
let joined: CrewSession;
let node: CoxNode;
let browser: Browser;
let screens: Awaited<ReturnType<typeof screensFolder>>;
const ended = new AbortController();
const events: PrimaryEvent[] = [];

beforeAll(async () => {
  [crew, browser, screens] = await Promise.all([testCrew(), startChromium(), screensFolder()]);
  joined = await crew.join('terminal');
  node = await crew.node(joined);
  crew.model.answer((call) => call.reply(`I heard: ${call.texts('user').at(-1)!.slice(0, 60)}`));
});
afterAll(async () => {
  ended.abort();
  await browser?.close();
  await crew?.stop();
  await screens?.remove();
});

async function open(options = {}): Promise<OwnPage> {
  const opened = await openOwnPage(browser, joined, { screens: screens.folder, options });
  onTestFinished(() => opened.close());
  await opened.go('#/talk');
  return opened;
}

test('without a primary nobody would answer, and the page says so', async () => {
  const { page } = await open();
  await page.getByText('No primary agent is running, so nobody would answer.').waitFor();
  await page.getByText('Nothing was said yet.').waitFor();
});

test('the talk is the one of the prompt: lines of both places stand in both', async () => {
  // As the prompt does it.
  const heard = (async () => {
    for await (const event of node.primary.events(ended.signal)) events.push(event);
  })();
  onTestFinished(() => {
    ended.abort();
    return heard;
  });
  await node.primary.rejoin(ended.signal);
  const { page, unlock, shot, violations, complaints } = await open();
  node.primary.say('hello from the terminal <b>bold</b>');
  await page.getByText('hello from the terminal <b>bold</b>', { exact: true }).waitFor();
  await page.getByText(/^I heard: .*hello from the terminal/).waitFor();
  const field = page.getByLabel(/Say something to the primary at terminal/);
  await field.fill('and hello from the page');
  expect(await page.getByRole('button', { name: 'Say' }).isDisabled()).toBe(true);
  await unlock();
  await field.press('Enter');
  await page.getByText(/^I heard: .*and hello from the page/).waitFor();
  expect(await field.inputValue()).toBe('');
  expect(events.filter(({ type }) => type === 'handed')).toMatchObject([{ line: { text: 'and hello from the page' } }]);
  // Each line was answered once.
  expect(crew.model.calls.length).toBe(2);
  const { page: second } = await open({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
  await second.getByText(/^I heard: .*and hello from the page/).waitFor();
  await mustFit(second);
  expect(await violations()).toEqual([]);
  await second.screenshot({ path: `${screens.folder}/talk-phone-dark.png` });
  await shot('talk');
  expect(complaints).toEqual([]);
});
