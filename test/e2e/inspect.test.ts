/** `cox inspect`: the real packages of the Stately Inspector in a real Chromium, attached to a crew with a goal. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { type Browser, chromium, type Page } from 'playwright-core';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { obtainBrowser } from '../../actors/tools/browser/find-browser.ts';
import { foldersOf } from '../../platform/folders.ts';
import { obtainPackages } from '../../platform/package-set.ts';
import { isPlanning, isReducing, planOf, type Running, World } from './support/world.ts';

let world: World;
let browser: Browser;
/** The code of `@statelyai/inspect`, as an application bundles it. */
let bundle: string;
let goal: string;
let up: Running;

beforeAll(async () => {
  const log = pino({ level: 'silent' });
  const cache = foldersOf(process.env).cache;
  const folder = await obtainPackages(
    {
      name: 'the Stately Inspector',
      folder: fileURLToPath(new URL('../support/stately-inspect', import.meta.url)),
      bytes: 20_000_000,
    },
    { folder: cache, log },
  );
  bundle = await bundled(folder);
  const found = await obtainBrowser({ folder: cache, log });
  browser = await chromium.launch({
    executablePath: found.path,
    chromiumSandbox: process.getuid?.() !== 0,
    env: { ...(process.env as Record<string, string>), ...found.env },
  });
  world = await World.make();
  world.model.answer((call) => {
    if (isPlanning(call)) call.reply(planOf(['a', 'b']));
    else call.reply(isReducing(call) ? 'both done' : 'done: <img src=x onerror=alert(1)> \u001b[31m nats://ann:geheim@host');
  });
  up = world.start(['up'], { stdin: null });
  await up.says('stdout', / is up /);
  goal = (await world.json<{ id: string }>(['dispatch', 'supervisor', 'Do a and b'])).value.id;
  await world.cox(['result', goal]);
});
afterAll(async () => {
  await browser?.close();
  await world?.stop();
});

async function bundled(folder: string): Promise<string> {
  const entry = join(folder, 'entry.js');
  const build = await rolldown({
    input: entry,
    cwd: folder,
    platform: 'browser',
    plugins: [
      {
        name: 'entry',
        resolveId: (id: string) => (id === entry ? id : null),
        load: (id: string) =>
          id === entry
            ? "import { createBrowserReceiver, createWebSocketReceiver } from '@statelyai/inspect'; window.stately = { createBrowserReceiver, createWebSocketReceiver };"
            : null,
      },
    ],
  });
  const { output } = await build.generate({ format: 'iife' });
  await build.close();
  return output[0].code;
}

/** A page of an origin of its own, with the package. @returns its address. */
async function siteWith(script: string): Promise<string> {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end(
      `<!doctype html><meta charset="utf-8"><body><script>${bundle.replaceAll('</script', '<\\/script')}\n${script}</script>`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

interface Got {
  readonly type: string;
  readonly sessionId: string;
  readonly parentId?: string;
  readonly definition?: string;
  readonly snapshot?: { readonly value: unknown };
}
const seen = (page: Page): Promise<Got[]> => page.evaluate('window.got');
const has = (all: readonly Got[], type: string, sessionId: string) =>
  all.some((it) => it.type === type && it.sessionId === sessionId);

async function bridge(args: readonly string[]): Promise<{ links: { server: string; page?: string }; running: Running }> {
  const running = world.start(['inspect', goal, '--bridge', '--json', ...args], { stdin: null });
  onTestFinished(() => void running.process.kill('SIGKILL'));
  const [line] = await running.says('stdout', /\{"bridge":.*\}/);
  return { links: JSON.parse(line).bridge, running };
}

test('createWebSocketReceiver gets the tree as it was and as it goes on, and no other tree', async () => {
  const origin = await siteWith('window.got = [];');
  const { links, running } = await bridge(['--origin', origin]);
  const other = (await world.json<{ id: string }>(['dispatch', 'reasoning', 'Something else'])).value.id;
  await world.cox(['result', other]);
  const page = await browser.newPage();
  await page.goto(origin);
  await page.evaluate(
    `window.stately.createWebSocketReceiver({ server: ${JSON.stringify(links.server)} }).subscribe((it) => window.got.push(it))`,
  );
  const root = goal.slice(0, -2);
  await expect.poll(async () => has(await seen(page), '@xstate.snapshot', `${root}.2`)).toBe(true);
  const all = await seen(page);
  const actors = all.filter(({ type }) => type === '@xstate.actor');
  expect(actors.map(({ sessionId }) => sessionId)).toEqual([goal, `${root}.1`, `${root}.2`]);
  expect(actors.map(({ parentId }) => parentId)).toEqual([undefined, goal, goal]);
  expect(JSON.parse(actors[0]!.definition!)).toMatchObject({ id: 'supervisor', initial: 'idle' });
  const states = all.filter(({ type, sessionId }) => type === '@xstate.snapshot' && sessionId === `${root}.1`);
  expect(states.at(-1)!.snapshot!.value).toBe('done');
  expect(JSON.stringify(all)).not.toContain('geheim');
  expect(all.some(({ sessionId }) => sessionId === other)).toBe(false);
  running.process.kill('SIGINT');
  expect((await running.ended).code).toBe(130);
  await expect.poll(() => page.evaluate('window.got.length')).toBe(all.length);
  await page.close();
});

test('a page of another origin gets nothing, though it knows the link', async () => {
  const origin = await siteWith('window.got = [];');
  const { links } = await bridge([]);
  const page = await browser.newPage();
  await page.goto(origin);
  const opened = await page.evaluate(
    `new Promise((resolve) => { const s = new WebSocket(${JSON.stringify(links.server)}); s.onopen = () => resolve('open'); s.onerror = () => resolve('refused'); })`,
  );
  expect(opened).toBe('refused');
  await page.close();
});

test('the inspector in the frame of the page is handed the messages, through its own receiver', async () => {
  const inspector = await siteWith(
    'const got = []; window.got = got; window.stately.createBrowserReceiver().subscribe((it) => got.push(it));',
  );
  const { links } = await bridge(['--stately', `${inspector}/inspect`]);
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  await page.goto(links.page!);
  const frame = () => page.frames().find((each) => each.url().startsWith(inspector));
  await expect.poll(async () => ((await frame()?.evaluate('window.got')) as Got[] | undefined)?.length ?? 0).toBeGreaterThan(3);
  const got = (await frame()!.evaluate('window.got')) as Got[];
  expect(has(got, '@xstate.actor', goal)).toBe(true);
  expect(page.url()).not.toContain('token');
  expect(problems).toEqual([]);
  await page.close();
});

test('without a bridge it prints lines, or one JSON object a line, and ends when the task has ended', async () => {
  const { stdout, code } = await world.cox(['inspect', goal]);
  expect(code).toBe(0);
  expect(stdout).toContain(`${goal} is at idle`);
  expect(stdout).toContain(`${goal} = done`);
  expect(stdout).not.toContain('\u001b[31m');
  const lines = (await world.cox(['inspect', goal, '--json'])).stdout.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line).type)).toEqual(
    expect.arrayContaining(['@xstate.actor', '@xstate.event', '@xstate.snapshot']),
  );
});

test('a task is told of while it runs, also after its node has died', async () => {
  const inspecting = world.start(['inspect', '--no-past'], { stdin: null });
  onTestFinished(() => void inspecting.process.kill('SIGKILL'));
  // A node learns of a listener within seconds, so each model call waits until the task was told of.
  const toldOf = async (instruction: string) => {
    const told = Promise.withResolvers<void>();
    world.model.answer((call) => void told.promise.then(() => call.reply('done')));
    const { id } = (await world.json<{ id: string }>(['dispatch', 'reasoning', instruction])).value;
    await inspecting.says('stdout', new RegExp(`${id} is at`));
    told.resolve();
    await inspecting.says('stdout', new RegExp(`${id} = done`));
  };
  await toldOf('One');
  up.process.kill('SIGKILL');
  await up.ended;
  up = world.start(['up'], { stdin: null });
  await toldOf('Two');
});

test.each([
  ['a wrong format', ['machines', 'export', 'sub-agent', '--format', 'png'], 'usage'],
  ['no chart', ['machines', 'export'], 'usage'],
  ['an unknown chart', ['machines', 'export', 'constructor'], 'unknown-machine'],
  ['a task of another chart', ['machines', 'export', 'sub-agent', '--live', 'GOAL'], 'usage'],
  ['options of the bridge without it', ['inspect', '--port', '1'], 'usage'],
  ['an origin that is none', ['inspect', '--bridge', '--origin', 'javascript:alert(1)'], 'usage'],
])('%s is told', async (_, args, code) => {
  const { value } = await world.json<{ error: { code: string } }>(args.map((word) => (word === 'GOAL' ? goal : word)));
  expect(value.error.code).toBe(code);
});

test('an export of a live task marks where it is, and replaces no file unless told to', async () => {
  const args = ['machines', 'export', '--live', goal, '--format', 'mermaid'];
  const { stdout } = await world.cox(args);
  expect(stdout).toMatch(/state "done ● is here" as done/);
  expect(stdout).toMatch(/gathering ✓ was here|reducing ✓ was here/);
  const file = { output: join(world.workspace, 'chart.mmd') };
  expect((await world.cox([...args, '-o', file.output])).code).toBe(0);
  expect((await world.json<{ error: { code: string } }>([...args, '-o', file.output])).value.error.code).toBe('file-exists');
});
