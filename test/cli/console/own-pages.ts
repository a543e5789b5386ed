/** The tests of the pages task, talk and roster share this: a console, its page unlocked, and axe. */
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import type { RosterSource } from '../../../roster/find-roster.ts';
import { type ConsoleInTest, consoleFor, type OpenedPage, openPage } from '../../support/console-page.ts';

export interface OwnPage extends OpenedPage {
  readonly console: ConsoleInTest;
  go(hash: string): Promise<void>;
  unlock(): Promise<void>;
  shot(name: string): Promise<void>;
  /** The findings of axe, one line each. */
  violations(): Promise<string[]>;
  close(): Promise<void>;
}

interface Opening {
  readonly screens: string;
  readonly roster?: () => Promise<RosterSource>;
  readonly options?: BrowserContextOptions;
}

export async function openOwnPage(
  browser: Browser,
  joined: CrewSession,
  { screens, roster, options = {} }: Opening,
): Promise<OwnPage> {
  const console = await consoleFor(joined, roster ? { roster } : {});
  const opened = await openPage(browser, console.link, { viewport: { width: 1280, height: 900 }, ...options });
  const { page, context } = opened;
  await page.evaluate(axe.source);
  return {
    ...opened,
    console,
    go: (hash) => page.evaluate(`void (location.hash = ${JSON.stringify(hash)})`),
    unlock: () =>
      page
        .getByRole('banner')
        .getByRole('button', { name: /unlock$/ })
        .click(),
    shot: async (name) => {
      await page.screenshot({ path: join(screens, `${name}.png`) });
    },
    violations: () => found(page),
    close: async () => {
      await context.close();
      await console.close();
    },
  };
}

const found = (page: Page): Promise<string[]> =>
  page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: typeof axe }).axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });

/** No part of the page is wider than the screen. */
export const mustFit = async (page: Page): Promise<void> => {
  const wide = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
  expect(wide).toBeLessThanOrEqual(0);
};
