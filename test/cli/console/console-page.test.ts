/** The pages of the console in a real Chromium, with a live crew. Screenshots stay with COX_TEST_SCREENS=<folder>. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { connect } from '@nats-io/transport-node';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { terminate } from '../../../bus/embedded/launch.ts';
import { readRecord, serverPaths } from '../../../bus/embedded/server-record.ts';
import type { TaskId } from '../../../bus/task-id.ts';
import { bundlePage } from '../../../cli/console/bundle-page.ts';
import { unlockMs } from '../../../cli/console/sessions.ts';
import {
  type ConsoleInTest,
  consoleFor,
  type OpenedPage,
  openPage,
  screensFolder,
  startChromium,
} from '../../support/console-page.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
let browser: Browser;
let screens: Awaited<ReturnType<typeof screensFolder>>;
const opened: (ConsoleInTest | OpenedPage)[] = [];

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
  for (const each of opened.splice(0).reverse()) await ('context' in each ? each.context.close() : each.close());
});

async function openConsole(size = { width: 1200, height: 800 }): Promise<{ console: ConsoleInTest } & OpenedPage> {
  const console = await consoleFor(joined);
  opened.push(console);
  const page = await openPage(browser, console.link, { viewport: size });
  opened.push(page);
  return { console, ...page };
}

/** A goal of code, whose sub-tasks wait for the model. */
async function goalOf(keys: readonly string[], instruction = 'Look at both halves', type = 'files'): Promise<TaskId> {
  const tasks = keys.map((key) => ({ key, type, instruction: `Work on ${key}` }));
  return joined.crew.dispatch({ type: 'supervisor', instruction, plan: { tasks, reduce: { by: 'concat' } } });
}
const callOf = (text: string) => crew.model.next((call) => call.texts('user').join('\n').includes(text));
const cancel = async (id: TaskId) => {
  await joined.crew.steer(id, { type: 'cancel' });
  await statusWhere(joined.crew, id, ({ outcome }) => outcome !== null);
};
const unlock = (page: Page) =>
  page
    .getByRole('banner')
    .getByRole('button', { name: /unlock$/ })
    .click();
const shot = (page: Page, name: string) => page.screenshot({ path: join(screens.folder, `${name}.png`) });
const goTo = (page: Page, hash: string) => page.evaluate(`void (location.hash = ${JSON.stringify(hash)})`);

describe('the goal', () => {
  test('grows as it works, and its sub-tasks are found, opened by keyboard and linked', async () => {
    const { page, complaints } = await openConsole();
    const goal = await goalOf(['left', 'right']);
    await page.getByRole('link', { name: goal }).click();
    const row = (name: string) => page.getByRole('treeitem', { name: new RegExp(name) });
    await row('left.*thinking').waitFor();
    (await callOf('Work on left')).reply('the left is fine');
    await row('left.*done').waitFor();
    await page.getByText('1 of 3 tasks ended').waitFor();
    await page.getByLabel('Find in the tree').fill('right');
    await row('left').waitFor({ state: 'detached' });
    await page.getByLabel('Find in the tree').fill('');
    await row('left').waitFor();
    await shot(page, 'goal');
    // By keyboard alone: to the tree, down to the first sub-task, and into it.
    await page.getByLabel('Find in the tree').focus();
    await page.keyboard.press('Tab');
    for (const key of ['ArrowDown', 'ArrowLeft', 'ArrowRight', 'ArrowDown']) await page.keyboard.press(key);
    await expect.poll(() => page.getByRole('treeitem', { selected: true }).textContent()).toMatch(/left/);
    await page.keyboard.press('Enter');
    await expect.poll(() => page.url()).toContain('#/task/');
    await expect.poll(() => page.evaluate('document.activeElement?.id')).toBe('main');
    await cancel(goal);
    expect(complaints).toEqual([]);
  });

  test('is steered from the page once it is unlocked, and the page says what became of it', async () => {
    const { page, console } = await openConsole();
    const goal = await goalOf(['part']);
    const call = await callOf('Work on part');
    await page.goto(`${console.url}#/goal/${goal}`);
    const words = page.getByLabel(`Correct ${goal} in words`);
    await words.fill('only the headings');
    expect(await page.getByRole('button', { name: 'Steer', exact: true }).isDisabled()).toBe(true);
    await unlock(page);
    await page.getByRole('button', { name: 'Steer', exact: true }).click();
    await call.closed;
    const next = await callOf('only the headings');
    await page
      .getByRole('log')
      .getByText(new RegExp(`${goal}: steer (accepted|applied)`))
      .waitFor();
    expect(await words.inputValue()).toBe('');
    next.reply('done');
    await statusWhere(joined.crew, goal, ({ outcome }) => outcome === 'completed');
    await page.getByText('2 of 2 tasks ended').waitFor();
  });

  test('is dispatched from the page', async () => {
    const { page } = await openConsole();
    await unlock(page);
    await page.getByLabel('New goal').fill('Count the files');
    await page.getByRole('button', { name: 'Dispatch' }).click();
    await page.getByRole('heading', { name: 'Count the files' }).waitFor();
    const goal = new URL(page.url()).hash.split('/').at(-1) as TaskId;
    await cancel(goal);
  });
});

describe('the inbox', () => {
  async function asking(name: string) {
    const task = await joined.crew.dispatch({ type: 'files', instruction: `Write ${name}` });
    (await callOf(`Write ${name}`)).call('write_file', { path: `${name}.txt`, text: 'one\ntwo\n' });
    await statusWhere(joined.crew, task, ({ question }) => question !== null);
    return task;
  }

  test('shows an approval with its diff and takes the answer, and one that was answered elsewhere disappears', async () => {
    const [here, elsewhere] = [await asking('here'), await asking('elsewhere')];
    const { page } = await openConsole();
    await page.getByRole('link', { name: /Inbox/ }).click();
    const card = page.getByRole('article', { name: new RegExp(`^${here}`) });
    await card.getByText('+one').waitFor();
    await page.getByText('2 questions wait for you').waitFor();
    await shot(page, 'inbox');
    const answer = card.getByRole('button', { name: 'approve', exact: true });
    expect(await answer.isDisabled()).toBe(true);
    await unlock(page);
    await answer.click();
    const call = await callOf('Write here');
    expect(call.texts('tool')).toEqual(['wrote 8 characters to here.txt']);
    await card.waitFor({ state: 'detached' });
    await joined.crew.steer(elsewhere, { type: 'answer', question: 'q1', text: 'no' });
    await page.getByText('Nothing waits for you.').waitFor();
    call.reply('done');
    (await callOf('Write elsewhere')).reply('done');
  });

  test('runs a call as the operator has edited it', async () => {
    const task = await asking('edited');
    const { page, console } = await openConsole();
    await page.goto(`${console.url}#/inbox`);
    await unlock(page);
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel(/Change what is proposed/).fill('three\n');
    await page.getByRole('button', { name: 'Approve as edited' }).click();
    const call = await callOf('Write edited');
    expect(call.texts('tool').join()).toContain('6 characters');
    call.reply('done');
    await statusWhere(joined.crew, task, ({ outcome }) => outcome === 'completed');
  });
});

test('the crew shows nodes with what they hold, backends, queues and room', async () => {
  const goal = await goalOf(['held']);
  const call = await callOf('Work on held');
  const { page, console, complaints } = await openConsole();
  await page.goto(`${console.url}#/crew`);
  await page.getByRole('link', { name: goal.replace('.0', '.1') }).waitFor();
  await page.getByRole('rowheader', { name: /main/ }).waitFor();
  await page.getByRole('region', { name: 'Table of streams' }).getByRole('rowheader', { name: 'log' }).waitFor();
  await page.getByText('No task was given up.').waitFor();
  await shot(page, 'crew');
  call.reply('done');
  await statusWhere(joined.crew, goal, ({ outcome }) => outcome !== null);
  expect(complaints).toEqual([]);
});

describe('the session', () => {
  test('a second tab needs no link, and is unlocked and locked with the first', async () => {
    const { page, context, console } = await openConsole();
    const second = await context.newPage();
    await second.goto(console.url);
    await second.getByRole('button', { name: /Read only/ }).waitFor();
    await unlock(page);
    await second.getByRole('button', { name: /Unlocked \d+:\d\d/ }).click();
    await page.getByRole('button', { name: /Read only/ }).waitFor();
  });

  test('an unlock that has expired refuses the order, and the page says that nothing was sent', async () => {
    const goal = await goalOf(['late']);
    const { page, console } = await openConsole();
    await page.goto(`${console.url}#/goal/${goal}`);
    await unlock(page);
    await page.getByLabel(`Correct ${goal} in words`).fill('too late');
    console.later(unlockMs + 1);
    await page.getByRole('button', { name: 'Steer', exact: true }).click();
    await page
      .getByRole('log')
      .getByText(/nothing was sent/)
      .waitFor();
    await page.getByRole('button', { name: /Read only/ }).waitFor();
    expect(await page.getByLabel(`Correct ${goal} in words`).inputValue()).toBe('too late');
    await cancel(goal);
  });

  test('a browser without the link, and one with a used link, see why they are not let in', async () => {
    const { console } = await openConsole();
    for (const [address, words] of [
      [console.url, /no session at this console/],
      [console.link, /was used before/],
      [`${console.url}#open=${'A'.repeat(43)}`, /does not belong to this console/],
    ] as const) {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(address);
      await page.getByRole('alert').getByText(words).waitFor();
      expect(page.url()).not.toContain('open=');
      await context.close();
    }
  });

  test('a page gets its next access before the present one ends, and goes on with it', async () => {
    const console = await consoleFor(joined, { accessMs: 61_500 });
    opened.push(console);
    const { page, context, ...rest } = await openPage(browser, console.link);
    opened.push({ page, context, ...rest });
    const next = await page.waitForResponse((response) => response.url().endsWith('/access'));
    const { member } = (await next.json()) as { member: string };
    await page.locator('[data-fresh="2"]').waitFor({ state: 'attached' });
    const connections = await connectedPages(joined);
    expect(connections).toContain(`cox page ${member}`);
    const goal = await goalOf(['renewed']);
    await page.getByRole('link', { name: goal }).waitFor();
    await cancel(goal);
  });

  test('a console that ends takes the access of its pages with it', async () => {
    const { page, console } = await openConsole();
    await console.close();
    await page
      .getByRole('status')
      .getByText(/connection to the bus is lost/)
      .waitFor();
  });
});

test('without a node the page says so, and goes on when one is up', async () => {
  const empty = await crew.join('lonely', 'lonely');
  const console = await consoleFor(empty);
  opened.push(console);
  const page = await openPage(browser, console.link);
  opened.push(page);
  await page.page
    .getByRole('alert')
    .getByText(/no node of the crew is up/)
    .waitFor();
  await crew.node(empty);
  await page.page.getByText('There are no goals yet.').waitFor();
});

test('the page says that the server is away, and goes on when it is back', async () => {
  const { page } = await openConsole();
  const paths = serverPaths(joined.folders);
  const { record } = readRecord(paths) as Extract<ReturnType<typeof readRecord>, { kind: 'record' }>;
  const goal = await goalOf(['before']);
  const call = await callOf('Work on before');
  await page.getByRole('link', { name: goal }).click();
  await page.getByRole('treeitem', { name: /before.*thinking/ }).waitFor();
  const freshOf = () => page.locator('[data-fresh]').getAttribute('data-fresh');
  const before = await freshOf();
  await terminate({ pid: record.pid, start: record.pidStart });
  await expect.poll(freshOf, { timeout: 60_000 }).not.toBe(before);
  await page.locator('[data-fresh]').waitFor({ state: 'hidden' });
  call.reply('done after all');
  await page.getByRole('treeitem', { name: /before.*done/ }).waitFor();
  await statusWhere(joined.crew, goal, ({ outcome }) => outcome !== null);
});

test.each(['light', 'dark'] as const)('axe finds nothing on any page, in %s colours', async (colorScheme) => {
  const asks = await joined.crew.dispatch({ type: 'files', instruction: `Write for axe in ${colorScheme}` });
  (await callOf(`axe in ${colorScheme}`)).call('write_file', { path: 'axe.txt', text: 'one\n' });
  const { page } = await openConsole();
  await page.emulateMedia({ colorScheme });
  await page.evaluate(axe.source);
  for (const hash of ['#/goal', `#/goal/${asks}`, '#/inbox', '#/crew']) {
    await goTo(page, hash);
    await page.locator('main h1').waitFor();
    await expect.poll(() => page.locator('.notice').filter({ hasText: 'Loading' }).count(), { timeout: 20_000 }).toBe(0);
    if (hash !== '#/goal' && hash !== '#/crew') await page.getByRole('article').first().waitFor();
    const found = await page.evaluate(async () => {
      const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    });
    expect([hash, found]).toEqual([hash, []]);
    await shot(page, `${colorScheme}-${hash.split('/')[1]}${hash.split('/').length > 2 ? '-one' : ''}`);
  }
  await cancel(asks);
});

test('every page fits on a phone', async () => {
  const asks = await joined.crew.dispatch({ type: 'files', instruction: `Write for a phone ${'very'.repeat(40)}` });
  (await callOf('Write for a phone')).call('write_file', { path: `${'long'.repeat(30)}.txt`, text: 'one\n' });
  const { page } = await openConsole({ width: 390, height: 844 });
  for (const hash of ['#/goal', `#/goal/${asks}`, '#/inbox', '#/crew']) {
    await goTo(page, hash);
    await page.locator('main h1').waitFor();
    if (hash === '#/inbox') await page.getByRole('article').first().waitFor();
    const wider = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
    expect([hash, wider]).toEqual([hash, 0]);
    await shot(page, `phone-${hash.split('/')[1]}${hash.split('/').length > 2 ? '-one' : ''}`);
  }
  await cancel(asks);
});

/** Finds the parts of the document that a text may have brought into it. */
const lookForMarkup = `({
  pwned: 'pwned' in window,
  scripts: [...document.querySelectorAll('script')].map(({ src }) => new URL(src).pathname),
  images: [...document.querySelectorAll('img')].filter(({ src }) => !src.endsWith('/icon.svg')).length,
  links: [...document.querySelectorAll('a')].map((link) => link.getAttribute('href')).filter((to) => !to.startsWith('#/')),
})`;

/** Names of the connections of pages at the server. */
async function connectedPages({ folders }: CrewSession): Promise<string[]> {
  const { record } = readRecord(serverPaths(folders)) as Extract<ReturnType<typeof readRecord>, { kind: 'record' }>;
  const system = await connect({ servers: record.url, user: record.systemUser, pass: record.systemPassword });
  const reply = await system.request('$SYS.REQ.SERVER.PING.CONNZ', JSON.stringify({ limit: 1_024 }));
  await system.close();
  return reply.json<{ data: { connections: { name: string }[] } }>().data.connections.map(({ name }) => name);
}

const hostileWords =
  '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script> [link](javascript:alert(1)) javascript:alert(1) ' +
  '\u202egnp.exe\u2066 \u200bzero\u0007 {{7*7}} </title>\u001b[31mred';

test('hostile texts are text: no markup, no links, and characters that hide are seen', async () => {
  const tasks = [{ key: 'a', type: 'files', instruction: hostileWords }];
  const goal = await joined.crew.dispatch({
    ...{ type: 'supervisor', instruction: hostileWords },
    plan: { tasks, reduce: { by: 'concat' } },
  });
  (await callOf('gnp.exe')).call('write_file', { path: '<img src=x onerror=alert(1)>.txt', text: `${hostileWords}\n` });
  const { page, console, complaints } = await openConsole();
  const child = goal.replace('.0', '.1') as TaskId;
  await statusWhere(joined.crew, child, ({ question }) => question !== null);
  await joined.bus.nc.publish(joined.bus.subjects.of(goal, 'status'), '{"id":"<b>","usage":7}');
  for (const hash of ['#/goal', `#/goal/${goal}`, '#/inbox', '#/crew', '#/<img src=x onerror=window.pwned=1>']) {
    await page.goto(`${console.url}${hash}`);
    await page.locator('main h1').waitFor();
    if (hash === '#/inbox') await page.getByRole('article').first().waitFor();
    const text = await page.evaluate<string>('document.body.textContent');
    if (hash.startsWith('#/goal')) expect(text).toContain('‹U+202E›gnp.exe');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not be there.
    expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u200b\u0007\u001b]/);
    const found = await page.evaluate(lookForMarkup);
    expect([hash, found]).toEqual([hash, { pwned: false, scripts: ['/page.js'], images: 0, links: [] }]);
  }
  expect(complaints).toEqual([]);
  await cancel(goal);
});

/** Tries, in a page of another origin, all that such a page can. */
const tryEverything = (url: string, socketUrl: string) => `(async () => {
  const tried = (method, path, mode) =>
    fetch(${JSON.stringify(url)} + path, { method, mode, credentials: 'include' }).then((reply) => reply.type + ' ' + reply.status, () => 'refused');
  const bus = new Promise((resolve) => {
    const socket = new WebSocket(${JSON.stringify(socketUrl)});
    let heard = '';
    socket.binaryType = 'arraybuffer';
    socket.onmessage = ({ data }) => {
      heard += new TextDecoder().decode(data);
      if (heard.startsWith('INFO')) socket.send(new TextEncoder().encode('CONNECT {}\\r\\nSUB > 1\\r\\nPING\\r\\n'));
    };
    socket.onclose = () => resolve(heard);
  });
  return [await tried('GET', 'session', 'cors'), await tried('POST', 'unlock', 'no-cors'), await bus];
})()`;

describe('another site', () => {
  test('cannot show the page in a frame, read from the console, or read at the bus', async () => {
    const { context, console } = await openConsole();
    const { websocketPort } = (readRecord(serverPaths(joined.folders)) as { record: { websocketPort: number } }).record;
    const server = createServer((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end(`<h1>other</h1><iframe src="${console.url}"></iframe>`),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await expect.poll(() => page.frames().length).toBe(2);
    expect(await page.frames()[1]!.locator('body').textContent()).not.toMatch(/Goals/);
    const seen = await page.evaluate<string[]>(tryEverything(console.url, `ws://127.0.0.1:${websocketPort}`));
    expect(seen.slice(0, 2)).toEqual(['refused', 'refused']);
    expect(seen[2]).toMatch(/Authorization Violation|Authorization/);
    expect(seen[2]).not.toMatch(/PONG|MSG/);
    const session = await (await context.request.get(`${console.url}session`)).json();
    expect(session.unlockedUntil).toBeNull();
    server.close();
  });
});

test('no request leaves the machine', async () => {
  const { page, context, console } = await openConsole();
  const asked = new Set<string>();
  context.on('request', (request) => asked.add(new URL(request.url()).host));
  page.on('websocket', (socket) => asked.add(new URL(socket.url()).hostname));
  for (const hash of ['goal', 'inbox', 'crew', 'talk', 'roster']) await page.goto(`${console.url}?${hash}#/${hash}`);
  await page.locator('main h1').waitFor();
  expect([...asked].sort()).toEqual(['127.0.0.1', new URL(console.url).host].sort());
});

test('the page is at most 150 kB, compressed, without what is loaded when it is needed', async () => {
  const chunks = await bundlePage();
  const first = chunks.find(({ name }) => name === 'page.js')!;
  expect(gzipSync(first.code).length).toBeLessThan(150_000);
  expect(first.code).not.toMatch(/\beval\(|new Function\(/);
});
