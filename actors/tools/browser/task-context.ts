/** Opens the browser context of a task, with the cookies and the storage that are kept of it, behind the proxy of the node. */
import type { BrowserContext } from 'playwright-core';
import type { BrowserProcess } from './browser-process.ts';
import { Downloads } from './downloads.ts';
import type { KeptPage } from './kept-page.ts';
import type { BrowserProxy, ProxyLogin, Running } from './shared-browser.ts';
import { Notes } from './task-page.ts';

interface TaskContext {
  /** It has its first page. */
  readonly context: BrowserContext;
  readonly downloads: Downloads;
  readonly notes: Notes;
  /** Null without a proxy. */
  readonly login: ProxyLogin | null;
}

export async function openContext({ process, proxy }: Running, task: string, kept: KeptPage | null): Promise<TaskContext> {
  const notes = new Notes();
  const login = proxy?.user(task, (reason, url) => notes.add(`${reason} (${url})`)) ?? null;
  const context = await process.browser.newContext({
    acceptDownloads: true,
    permissions: [],
    // The requests of a service worker would come from no page.
    serviceWorkers: 'block',
    viewport: { width: 1280, height: 800 },
    ...(kept && { storageState: { cookies: kept.cookies, origins: kept.origins } }),
    ...(login && proxy && { proxy: proxyOf(proxy, login) }),
  });
  return { context, downloads: await watchDownloads(context, process, notes), notes, login };
}

/** `<-loopback>` sends addresses of this machine through the proxy too. */
const proxyOf = ({ url }: BrowserProxy, { username, password }: ProxyLogin) => ({
  server: url,
  username,
  password,
  bypass: '<-loopback>',
});

async function watchDownloads(context: BrowserContext, { root, downloads }: BrowserProcess, notes: Notes): Promise<Downloads> {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  const { targetInfo } = await session.send('Target.getTargetInfo');
  await session.detach();
  return Downloads.watch({
    root,
    contextId: targetInfo.browserContextId!,
    folder: downloads,
    note: (line) => notes.add(line),
  });
}
