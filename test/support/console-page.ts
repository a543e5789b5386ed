/** The real console of a crew, opened in a real Chromium. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import type { CrewSession } from '../../actors/node/join.ts';
import { obtainBrowser } from '../../actors/tools/browser/find-browser.ts';
import { type ConsoleOptions, type OpenConsole, openConsole } from '../../cli/console/open-console.ts';
import type { Clock } from '../../cli/console/sessions.ts';
import { foldersOf } from '../../platform/folders.ts';

/** One Chromium for a test file. Each context has cookies of its own. */
export async function startChromium(): Promise<Browser> {
  const { path, env } = await obtainBrowser({
    ...{ folder: foldersOf(process.env).cache, env: process.env, log: pino({ level: 'silent' }) },
  });
  const { chromium } = await import('playwright-core');
  return chromium.launch({
    executablePath: path,
    headless: true,
    chromiumSandbox: process.getuid?.() !== 0,
    env: { ...process.env, ...env } as Record<string, string>,
  });
}

export interface ConsoleInTest extends OpenConsole {
  readonly notes: string[];
  /** Moves the clock of its sessions. */
  later(ms: number): void;
}

export async function consoleFor(
  joined: CrewSession,
  { port = 0, ...named }: Partial<Pick<ConsoleOptions, 'port' | 'websocket' | 'credentials' | 'accessMs' | 'roster'>> = {},
): Promise<ConsoleInTest> {
  let ahead = 0;
  const notes: string[] = [];
  const clock: Clock = { now: () => Date.now() + ahead };
  const opened = await openConsole(joined, {
    ...named,
    port,
    open: false,
    cwd: process.cwd(),
    note: (text) => notes.push(text),
    clock,
  });
  const later = (ms: number) => {
    ahead += ms;
  };
  return { ...opened, notes, later };
}

export interface OpenedPage {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors and warnings of the page, among them what its policy forbade. */
  readonly complaints: string[];
}

/** Opens the link in a context of its own, and waits until the page has its connection. */
export async function openPage(browser: Browser, link: string, options: BrowserContextOptions = {}): Promise<OpenedPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.goto(link);
  await page.locator('[role=status][data-fresh]:not([data-fresh="0"])').waitFor({ state: 'attached' });
  return { context, page, complaints };
}

/** Where screenshots of a test go: a folder that COX_TEST_SCREENS names, else one that is removed. */
export async function screensFolder(): Promise<{ folder: string; remove(): Promise<void> }> {
  const named = process.env.COX_TEST_SCREENS;
  if (named) return { folder: named, remove: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), 'cox-screens-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
