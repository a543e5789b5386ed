/** The task page in a real Chromium, with a live crew whose model is scripted. Screenshots stay with COX_TEST_SCREENS=<folder>. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import type { TaskId } from '../../../bus/task-id.ts';
import { screensFolder, startChromium } from '../../support/console-page.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { hostileText } from '../../support/hostile-text.ts';
import { statusWhere } from '../../support/watching.ts';
import { mustFit, type OwnPage, openOwnPage } from './own-pages.ts';

let crew: TestCrew;
let joined: CrewSession;
let browser: Browser;
let screens: Awaited<ReturnType<typeof screensFolder>>;
const opened: OwnPage[] = [];

beforeAll(async () => {
  [crew, browser, screens] = await Promise.all([testCrew(), startChromium(), screensFolder()]);
  joined = await crew.join();
  await crew.node(joined);
});
afterAll(async () => {
  await browser?.close();
  await crew?.stop();
  await screens?.remove();
});
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});

async function open(options = {}): Promise<OwnPage> {
  const page = await openOwnPage(browser, joined, { screens: screens.folder, options });
  opened.push(page);
  return page;
}
const callOf = (text: string) => crew.model.next((call) => call.texts('user').join('\n').includes(text));
const dispatch = (instruction: string): Promise<TaskId> => joined.crew.dispatch({ type: 'files', instruction });

test('a task is watched as it thinks, steered, and its approval is given with the diff, all from its page', async () => {
  const { page, go, unlock, shot, violations, complaints } = await open();
  const id = await dispatch('Write down the weather');
  const first = await callOf('Write down the weather');
  await go(`#/task/${id}`);
  // The chart shows the live state, in words too.
  await page.getByRole('img', { name: /The chart sub-agent\. The task is in running\.thinking/ }).waitFor();
  first.say('I look ');
  await page.getByText('I look').waitFor();
  first.say('at the sky');
  await page.getByLabel('As it comes').getByText('I look at the sky').waitFor();
  await page.getByRole('row', { name: /STEER/ }).first().waitFor();
  expect(await page.getByRole('button', { name: 'Steer' }).isDisabled()).toBe(true);
  await unlock();
  await page.getByLabel(`Correct ${id} in words`).fill('in metric units');
  await page.getByRole('button', { name: 'Steer', exact: true }).click();
  expect(await first.closed).toBe(true);
  const second = await callOf('in metric units');
  await page
    .getByRole('listitem')
    .filter({ hasText: 'in metric units' })
    .getByText(/applied in step 2/)
    .waitFor();
  await shot('task-steered');
  second.call('write_file', { path: 'weather.txt', text: 'wind: 3 m/s\n' });
  const approval = page.getByRole('article', { name: new RegExp(`${id} wants approval`) });
  await approval.getByText('+wind: 3 m/s').waitFor();
  await page.getByRole('img', { name: /The task is in awaiting-steer/ }).waitFor();
  await shot('task-approval');
  await approval.getByRole('button', { name: 'approve' }).click();
  (await callOf('in metric units')).reply('It is written.');
  await page.getByText('It is written.').waitFor();
  await page.getByRole('img', { name: /The task is in done/ }).waitFor();
  await page.getByText('Nothing more can happen to this task.').waitFor();
  expect(await violations()).toEqual([]);
  await shot('task-done');
  expect(complaints).toEqual([]);
});

test('its steps are walked forwards and backwards by keyboard, each with its prompt', async () => {
  const { page, go } = await open();
  const id = await dispatch('Look around');
  (await callOf('Look around')).call('list_files', { path: '.' });
  (await callOf('Look around')).reply('Nothing is here.');
  await statusWhere(joined.crew, id, ({ outcome }) => outcome !== null);
  await go(`#/task/${id}`);
  await page.getByText('Nothing is here.').waitFor();
  await page.getByRole('region', { name: 'Conversation' }).focus();
  await page.keyboard.press('Home');
  await page.getByText('Step 1 of 2').waitFor();
  await page.getByText('Nothing is here.').waitFor({ state: 'detached' });
  await page.getByText(/^The prompt as it was sent/).waitFor();
  await page.keyboard.press('ArrowRight');
  await page.getByText('Step 2 of 2').waitFor();
  await page.getByText('Nothing is here.').waitFor();
  await page.keyboard.press('ArrowLeft');
  await page.getByText('Step 1 of 2').waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('2 steps', { exact: true }).waitFor();
});

test('it is redirected, swapped, paused, resumed and cancelled', async () => {
  const { page, go, unlock } = await open();
  const id = await dispatch('Count the stars');
  await callOf('Count the stars');
  await go(`#/task/${id}`);
  await unlock();
  await page.getByText('Redirect, swap the backend').click();
  await page.getByLabel(`Another instruction for ${id}`).fill('Count the clouds');
  await page.getByRole('button', { name: 'Redirect' }).click();
  const clouds = await callOf('Count the clouds');
  await page.getByRole('heading', { name: /Count the clouds/ }).waitFor();
  await page.getByLabel('Backend', { exact: true }).selectOption('other');
  await page.getByRole('button', { name: 'Swap' }).click();
  await page
    .getByRole('listitem')
    .filter({ hasText: 'swap' })
    .getByText(/applied/)
    .waitFor();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByRole('button', { name: 'Cancel …' }).click();
  await page.getByRole('button', { name: `Cancel ${id} for good` }).click();
  expect((await statusWhere(joined.crew, id, ({ outcome }) => outcome !== null)).outcome).toBe('cancelled');
  expect(await clouds.closed).toBe(true);
  await page.getByText('cancelled').first().waitFor();
});

test('hostile texts are text, on a phone, dark, and axe finds nothing', async () => {
  const { page, go, shot, violations, complaints } = await open({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
  const markup = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>';
  const id = await dispatch(`Be kind ${markup} ${'long'.repeat(60)} ${hostileText.toWellFormed().replaceAll('\u0000', '')}`);
  (await callOf('Be kind')).say(`${markup} ${hostileText.toWellFormed()}`).end([{ tool: 'read_file', args: { path: markup } }]);
  (await callOf('Be kind')).reply(`done ${markup}`);
  await statusWhere(joined.crew, id, ({ outcome }) => outcome !== null);
  await go(`#/task/${id}`);
  await page.getByText('done <img').first().waitFor();
  expect(await page.evaluate('window.hit')).toBe(undefined);
  expect(await page.locator('main img').count()).toBe(0);
  await page.getByRole('img', { name: /The task is in done/ }).waitFor();
  await mustFit(page);
  expect(await violations()).toEqual([]);
  await shot('task-phone-dark');
  expect(complaints).toEqual([]);
});

test('a name that no task has is said so', async () => {
  const { page, go } = await open();
  await go('#/task/nobody.0');
  await page.getByRole('alert').first().waitFor();
  await go('#/task/<script>');
  await page.getByText('is no name of a task').waitFor();
});
