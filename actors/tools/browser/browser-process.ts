/**
 * One Chromium, started by playwright-core over a pipe. Invariants:
 * - It does not outlive its node: Chromium ends when the pipe closes, also after a `kill -9` of the node. One that cannot (it is
 *   frozen) is ended by the next start of a browser on this machine: its folder says which node it belonged to.
 * - Its profile and its downloads lie in one folder, which is removed when it has ended.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContext, CDPSession } from 'playwright-core';
import { z } from 'zod';
import { beginningOf } from '../../../platform/cut.ts';
import { CoxError, messageOf } from '../../../platform/errors.ts';
import type { Log } from '../../../platform/log.ts';
import { isAlive, startOf } from '../../../platform/process-identity.ts';
import { type FoundBrowser, installHint, tooOld } from './find-browser.ts';
import { withinMs } from './within.ts';

export interface StartOptions {
  readonly found: FoundBrowser;
  /** Folder for the folders of browsers: `<state>/browsers`. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  /** Address of the proxy through which all traffic goes. Default: none. */
  readonly proxyUrl?: string | undefined;
}

const startTimeoutMs = 30_000;
const answerTimeoutMs = 5_000;
const closeTimeoutMs = 5_000;
/** A folder without an owner that is younger than this is of a browser that is just being started. */
const freshMs = 60_000;

const Owned = z.object({ pid: z.number().int().positive(), start: z.string().nullable() });
const Owner = z.object({ node: Owned, browser: Owned.nullable() });
type Owner = z.infer<typeof Owner>;

/** Variables that Chromium gets from the node. Keys of backends are not among them. */
const passedOn =
  /^(PATH|Path|HOME|USER|LOGNAME|USERPROFILE|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|TEMP|TMP|XDG_[A-Z_]+|DISPLAY|SystemRoot|SYSTEMROOT|LOCALAPPDATA|APPDATA|PROGRAMFILES.*|LD_LIBRARY_PATH|FONTCONFIG_[A-Z]+)$/;

const switches = [
  // Traffic that no page asked for.
  '--disable-domain-reliability',
  '--dns-prefetch-disable',
  '--no-pings',
  // Ways around an HTTP proxy.
  '--disable-quic',
  '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
  '--webrtc-ip-handling-policy=disable_non_proxied_udp',
  '--deny-permission-prompts',
  '--disk-cache-size=33554432',
  // A page that wants more memory than this crashes, and only that page.
  '--js-flags=--max-old-space-size=512',
];

export class BrowserProcess {
  readonly browser: Browser;
  /** The folder that Chromium writes downloads to. */
  readonly downloads: string;
  readonly root: CDPSession;
  readonly #folder: string;
  readonly #own: BrowserContext;
  readonly #pid: number;
  #closing: Promise<void> | null = null;

  private constructor(own: BrowserContext, browser: Browser, root: CDPSession, folder: string, pid: number) {
    this.#own = own;
    this.browser = browser;
    this.root = root;
    this.#folder = folder;
    this.downloads = join(folder, 'downloads');
    this.#pid = pid;
  }

  /** @throws CoxError `browser-failed`. */
  static async start({ found, folder, env, log, proxyUrl }: StartOptions): Promise<BrowserProcess> {
    endLeftovers(folder, log);
    const place = join(folder, `${process.pid}-${randomBytes(4).toString('hex')}`);
    const downloads = join(place, 'downloads');
    try {
      mkdirSync(downloads, { recursive: true, mode: 0o700 });
      noteOwner(place, null);
      const { chromium } = await import('playwright-core');
      const own = await chromium.launchPersistentContext(join(place, 'profile'), {
        executablePath: found.path,
        headless: true,
        // Chromium refuses to run its sandbox as root.
        chromiumSandbox: process.getuid?.() !== 0,
        args: proxyUrl ? [...switches, ...onlyThrough(proxyUrl)] : switches,
        // Without it Chromium blocks the pop-ups that no click asked for.
        ignoreDefaultArgs: ['--disable-popup-blocking'],
        artifactsDir: join(place, 'artifacts'),
        downloadsPath: downloads,
        env: { ...Object.fromEntries(Object.entries(env).filter(([name]) => passedOn.test(name))), ...found.env },
        handleSIGINT: false,
        handleSIGTERM: false,
        handleSIGHUP: false,
        timeout: startTimeoutMs,
        serviceWorkers: 'block',
        ...(proxyUrl && { proxy: { server: proxyUrl, bypass: '<-loopback>' } }),
      });
      const browser = own.browser()!;
      const root = await browser.newBrowserCDPSession();
      const { processInfo } = await root.send('SystemInfo.getProcessInfo');
      const pid = processInfo.find(({ type }) => type === 'browser')!.id;
      noteOwner(place, pid);
      const started = new BrowserProcess(own, browser, root, place, pid);
      browser.on('disconnected', () => rmSync(place, { recursive: true, force: true, maxRetries: 5 }));
      const why = tooOld(browser.version());
      if (why !== null) {
        await started.close();
        throw new Error(`${found.path} ${why}`);
      }
      return started;
    } catch (cause) {
      rmSync(place, { recursive: true, force: true, maxRetries: 3 });
      const said = beginningOf(messageOf(cause).split('Call log:')[0]!.trim(), 1_000);
      throw new CoxError('browser-failed', `The browser did not start: ${found.path} (${said})`, { hint: hintFor(said), cause });
    }
  }

  /** Whether it still answers. A frozen browser is connected and does not. */
  async answers(): Promise<boolean> {
    if (!this.browser.isConnected() || this.#closing) return false;
    return withinMs(answerTimeoutMs, this.root.send('Browser.getVersion')).then(
      () => true,
      () => false,
    );
  }

  /** Ends it: asks it first, and kills it if it does not end by itself. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }
  async #close(): Promise<void> {
    if (this.browser.isConnected()) await withinMs(closeTimeoutMs, this.#own.close()).catch(() => {});
    if (this.browser.isConnected()) {
      const gone = new Promise<void>((resolve) => this.browser.once('disconnected', () => resolve()));
      killGroup(this.#pid);
      await withinMs(closeTimeoutMs, gone).catch(() => {});
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** No name is looked up beside the proxy, not even one that a page asks to look up in advance. */
const onlyThrough = (proxyUrl: string): string[] => [
  `--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE ${new URL(proxyUrl).hostname}`,
];

function hintFor(said: string): string {
  if (/sandbox/i.test(said))
    return 'Its sandbox needs user namespaces: allow them on this system, or name an installed Chrome in COX_CHROMIUM.';
  if (/shared librar|GLIBC/i.test(said)) return `Libraries of the system are missing for it. ${installHint}`;
  return `Start it by hand to see why. ${installHint}`;
}

function noteOwner(place: string, browser: number | null): void {
  const owner: Owner = {
    node: { pid: process.pid, start: startOf(process.pid) },
    browser: browser === null ? null : { pid: browser, start: startOf(browser) },
  };
  writeFileSync(join(place, 'owner.json'), JSON.stringify(owner), { mode: 0o600 });
}

/** Ends the browsers of nodes that are dead, and removes their folders. */
export function endLeftovers(folder: string, log: Log): void {
  for (const place of foldersIn(folder)) {
    const owner = ownerOf(place);
    if (owner === 'fresh' || (owner && isAlive(owner.node.pid, owner.node.start))) continue;
    const browser = owner?.browser;
    if (browser && isAlive(browser.pid, browser.start)) {
      log.warn({ pid: browser.pid }, 'a browser had outlived its node: it is killed');
      killGroup(browser.pid);
    }
    rmSync(place, { recursive: true, force: true, maxRetries: 5 });
  }
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function ownerOf(place: string): Owner | 'fresh' | null {
  try {
    return Owner.parse(JSON.parse(readFileSync(join(place, 'owner.json'), 'utf8')));
  } catch {
    try {
      return Date.now() - statSync(place).mtimeMs < freshMs ? 'fresh' : null;
    } catch {
      return 'fresh';
    }
  }
}

/** playwright-core starts Chromium as the leader of a process group, except on Windows. */
function killGroup(pid: number): void {
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
