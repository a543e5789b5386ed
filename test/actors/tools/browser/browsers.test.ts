/** Pages of tasks in a real Chromium: they are apart, end with their task, and go on at another node. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CrewSession } from '../../../../actors/node/join.ts';
import type { Browsers } from '../../../../actors/tools/browser/browsers.ts';
import type { TaskPage } from '../../../../actors/tools/browser/task-page.ts';
import { KeptStates } from '../../../../bus/artifacts/kept-state.ts';
import { type TestCrew, testCrew } from '../../../support/crew.ts';
import { browserProcesses, browsersOf, type RigOptions, until } from './rig.ts';
import { openSite, type Site } from './site.ts';

let crew: TestCrew;
let joined: CrewSession;
let site: Site;
let open: Browsers[];
const signal = new AbortController().signal;

beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
  site = await openSite();
  open = [];
});
afterEach(async () => {
  for (const browsers of open) await browsers.close();
  await site.stop();
  await crew.stop();
});

const folderOf = (node: string): string => join(crew.folder, node);
function node(name = 'a', options: Partial<RigOptions> = {}): Browsers {
  const browsers = browsersOf({ bus: joined.bus, folder: folderOf(name), open: [site.url], ...options });
  open.push(browsers);
  return browsers;
}
const goto = (page: TaskPage, path: string) => page.page.goto(`${site.url}${path}`, { waitUntil: 'domcontentloaded' });
const storageOf = (page: TaskPage) => page.page.evaluate('localStorage.getItem("theme")');

describe('the pages of tasks', () => {
  it('share one Chromium, and neither cookies nor storage', async () => {
    const browsers = node();
    const one = await browsers.pageFor('k3xq.1', signal);
    await goto(one, '/login');
    const two = await browsers.pageFor('k3xq.2', signal);
    await goto(two, '/');
    expect(await storageOf(one)).toBe('dark');
    expect(await storageOf(two)).toBeNull();
    expect(site.cookie()).toBe('');
    expect(readdirSync(join(folderOf('a'), 'browsers'))).toHaveLength(1);
    expect((await browsers.pageFor('k3xq.1', signal)).page).toBe(one.page);
  });

  it('end with their task, and Chromium ends when it has had none for a while', async () => {
    const browsers = node('a', { emptyMs: 50 });
    const page = await browsers.pageFor('k3xq.1', signal);
    const closed = new Promise((resolve) => page.context.once('close', resolve));
    await browsers.ended('k3xq.1');
    await closed;
    await until(() => browserProcesses(folderOf('a')).length === 0);
    // Its folder is removed after its end.
    await until(() => readdirSync(join(folderOf('a'), 'browsers')).length === 0);
    await goto(await browsers.pageFor('k3xq.2', signal), '/');
  });

  it('leave no process and no file when the node stops', async () => {
    const browsers = node();
    await goto(await browsers.pageFor('k3xq.1', signal), '/');
    expect(browserProcesses(folderOf('a')).length).toBeGreaterThan(0);
    await browsers.close();
    await until(() => browserProcesses(folderOf('a')).length === 0);
    expect(readdirSync(join(folderOf('a'), 'browsers'))).toEqual([]);
    await expect(browsers.pageFor('k3xq.1', signal)).rejects.toMatchObject({ code: 'browser-failed' });
  });

  it('are bounded in number: the one that was used least recently is closed, and opened again where it was', async () => {
    const browsers = node('a', { maxContexts: 2 });
    const one = await browsers.pageFor('k3xq.1', signal);
    await goto(one, '/login');
    await browsers.pageFor('k3xq.2', signal);
    await browsers.pageFor('k3xq.3', signal);
    expect(one.page.isClosed()).toBe(true);
    const again = await browsers.pageFor('k3xq.1', signal);
    expect(again.page.url()).toBe(`${site.url}/login`);
    expect(again.notices().join('\n')).toContain('opened again');
  });

  it('are never more than their bound, also when many are opened at once', async () => {
    const browsers = node('a', { maxContexts: 3 });
    const { context } = await browsers.pageFor('k3xq.0', signal);
    const browser = context.browser()!;
    const own = browser.contexts().length - 1;
    let most = 0;
    const count = () => {
      most = Math.max(most, browser.contexts().length - own);
    };
    browser.on('context', count);
    const tasks = Array.from({ length: 20 }, (_, i) => `k3xq.${i + 1}`);
    await Promise.all(tasks.map((task) => browsers.pageFor(task, signal)));
    expect(most).toBe(3);
    expect((await browsers.pageFor('k3xq.20', signal)).page.isClosed()).toBe(false);
    // A node that stops keeps nobody waiting.
    const waiting = tasks.map((task) => browsers.pageFor(task, signal).catch((cause) => cause.code));
    await browsers.close();
    expect(new Set(await Promise.all(waiting)).has('browser-failed')).toBe(true);
  });

  it('stay for a while when their task is parked', async () => {
    const browsers = node('a', { parkedMs: 50 });
    const page = await browsers.pageFor('k3xq.1', signal);
    await goto(page, '/form');
    await page.page.fill('input', 'typed');
    browsers.parked('k3xq.1');
    const back = await browsers.pageFor('k3xq.1', signal);
    expect(await back.page.inputValue('input')).toBe('typed');
    browsers.parked('k3xq.1');
    await until(() => page.page.isClosed());
    expect((await browsers.pageFor('k3xq.1', signal)).page.url()).toBe(`${site.url}/form`);
  });

  it('open for a caller that has gone, so that the next call finds them', async () => {
    const browsers = node();
    const gone = new AbortController();
    const waiting = browsers.pageFor('k3xq.1', gone.signal);
    gone.abort(new Error('the call was cut'));
    await expect(waiting).rejects.toThrow('the call was cut');
    await goto(await browsers.pageFor('k3xq.1', signal), '/');
  });
});

describe('a page that is lost', () => {
  it('is opened again at another node, with cookies and storage, and says what is lost', async () => {
    const page = await node('a').pageFor('k3xq.1', signal);
    await goto(page, '/login');
    await goto(page, '/form');
    await page.page.fill('input', 'typed');
    await page.settle({});
    const other = await node('b').pageFor('k3xq.1', signal);
    expect(other.page.url()).toBe(`${site.url}/form`);
    expect(await storageOf(other)).toBe('dark');
    expect(site.cookie()).toBe('sid=s3cret');
    expect(await other.page.inputValue('input')).toBe('');
    expect(other.notices().join('\n')).toMatch(/typed into forms.*scroll position.*history/);
    expect(other.notices()).toEqual([]);
  });

  it('is not used when another node has gone on with the task meanwhile', async () => {
    const [a, b] = [node('a'), node('b')];
    const first = await a.pageFor('k3xq.1', signal);
    await goto(first, '/form');
    await first.settle({});
    const second = await b.pageFor('k3xq.1', signal);
    await goto(second, '/login');
    await second.settle({});
    await first.settle({});
    expect((await a.pageFor('k3xq.1', signal)).page.url()).toBe(`${site.url}/login`);
  });

  it('is opened again when Chromium was killed, and when it is frozen', async () => {
    const browsers = node();
    const page = await browsers.pageFor('k3xq.1', signal);
    await goto(page, '/login');
    await page.settle({});
    for (const how of ['SIGKILL', 'SIGSTOP'] as const) {
      const [main] = browserProcesses(folderOf('a'));
      process.kill(main!, how);
      const again = await browsers.pageFor('k3xq.1', signal);
      expect(again.page.url()).toBe(`${site.url}/login`);
      expect(again.notices().join('\n')).toContain('The browser ended or hung');
      await until(() => !browserProcesses(folderOf('a')).includes(main!));
    }
  });

  it('is forgotten when its task has ended', async () => {
    const browsers = node();
    const page = await browsers.pageFor('k3xq.1', signal);
    await goto(page, '/login');
    await page.settle({});
    const states = new KeptStates(joined.bus, 'browser');
    expect((await states.read('k3xq.1'))?.text).toContain('s3cret');
    await browsers.ended('k3xq.1');
    expect((await states.read('k3xq.1'))?.text).not.toContain('s3cret');
    const { jsm, subjects } = joined.bus;
    expect((await jsm.streams.info(subjects.artifactStream)).state.messages).toBe(1);
  });
});
