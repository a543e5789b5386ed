/**
 * Finds a Chromium on this machine: the one that COX_CHROMIUM names, an installed Chrome, Chromium or Edge, or the one in the
 * cache. `obtainBrowser` fetches one where there is none.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import type { DownloadOptions } from '../../../platform/download.ts';
import { CoxError, messageOf } from '../../../platform/errors.ts';
import { executableOnPath, isExecutable } from '../../../platform/executables.ts';
import { obtainPackages } from '../../../platform/package-set.ts';
import { chromiumIn, chromiumSet, chromiumVersion, fetchedChromium, isChromiumFetchable } from './chromium-set.ts';

export interface FoundBrowser {
  readonly path: string;
  /** `Chromium 153.0.8010.0`; null where only the running browser tells its version, as on Windows. */
  readonly version: string | null;
  readonly source: 'COX_CHROMIUM' | 'installed' | 'cache';
  /** Variables that it needs in its environment. */
  readonly env: Readonly<Record<string, string>>;
}
export interface NoBrowser {
  readonly missing: true;
  /** For the operator: each place that was searched, with the reason why no browser there can be used. */
  readonly tried: readonly string[];
}
export interface FindBrowserOptions {
  readonly cacheFolder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

/** The oldest major version that is used: playwright-core relies on the protocol of recent ones. */
export const oldestMajor = 130;
const versionTimeoutMs = 15_000;

const names = [
  'google-chrome-stable',
  'google-chrome',
  'chromium',
  'chromium-browser',
  'chrome',
  'microsoft-edge-stable',
  'microsoft-edge',
];

/** The paths at which installers put a browser, on this system. */
function usualPlaces(env: NodeJS.ProcessEnv): string[] {
  if (process.platform === 'darwin') {
    const apps = ['Google Chrome', 'Chromium', 'Microsoft Edge'];
    const roots = ['/Applications', ...(env.HOME ? [join(env.HOME, 'Applications')] : [])];
    return roots.flatMap((root) => apps.map((app) => join(root, `${app}.app/Contents/MacOS`, app)));
  }
  if (process.platform === 'win32') {
    const roots = [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].filter((root) => root !== undefined);
    const apps = [
      'Google/Chrome/Application/chrome.exe',
      'Chromium/Application/chrome.exe',
      'Microsoft/Edge/Application/msedge.exe',
    ];
    return roots.flatMap((root) => apps.map((app) => join(root, app)));
  }
  return ['/opt/google/chrome/chrome', '/opt/microsoft/msedge/msedge', '/usr/lib/chromium/chromium', '/snap/bin/chromium'];
}

/** Searches COX_CHROMIUM, the installed browsers and the cache, in this order. If COX_CHROMIUM is set, no other place counts. */
export async function findBrowser({ cacheFolder, env, signal }: FindBrowserOptions): Promise<FoundBrowser | NoBrowser> {
  const tried: string[] = [];
  const tryOne = async (path: string, source: FoundBrowser['source']): Promise<FoundBrowser | null> => {
    const verdict = await versionOf(path, signal);
    const why = 'problem' in verdict ? verdict.problem : tooOld(verdict.version);
    if (why === null && 'version' in verdict) return { path, version: verdict.version, source, env: {} };
    tried.push(`${source}: ${path} ${why}`);
    return null;
  };

  const chosen = env.COX_CHROMIUM;
  if (chosen) return (await tryOne(chosen, 'COX_CHROMIUM')) ?? { missing: true, tried };

  const onPath = names.flatMap((name) => executableOnPath(name, env) ?? []);
  const installed = [...new Set([...onPath, ...usualPlaces(env).filter(isExecutable)])];
  if (installed.length === 0) tried.push('installed: there is no Chrome, Chromium or Edge on the PATH or in the usual places');
  for (const path of installed) {
    const found = await tryOne(path, 'installed');
    if (found) return found;
  }

  // Not started to ask for the version: its folder is named after the lock that pins it, and npm has checked it.
  const cached = fetchedChromium(cacheFolder);
  if (cached) return { ...cached, version: `Chromium ${chromiumVersion}`, source: 'cache' };
  tried.push(`cache: ${join(cacheFolder, 'packages')} has no Chromium`);
  return { missing: true, tried };
}

/** @returns why such a version is not used; null if it is, or if it is not known yet. */
export function tooOld(version: string | null): string | null {
  if (version === null) return null;
  const major = Number(/\d{1,5}(?=\.\d)/.exec(version)?.[0] ?? 0);
  return major >= oldestMajor ? null : `is ${version}, older than ${oldestMajor}`;
}

export const installHint =
  'Install Chrome, Chromium or Edge, or name one in COX_CHROMIUM. On Linux (x64, arm64) `cox doctor --install browser` fetches one.';

/**
 * Finds a browser, or fetches Chromium into the cache with its size said by `onProgress` before it begins.
 * @throws CoxError `no-browser` if this machine has none and none can be fetched for it; those of `obtainPackages`.
 */
export async function obtainBrowser(options: DownloadOptions): Promise<FoundBrowser> {
  const { folder, env = process.env, signal } = options;
  const found = await findBrowser({ cacheFolder: folder, env, signal });
  if (!('missing' in found)) return found;
  if (env.COX_CHROMIUM || !isChromiumFetchable())
    throw new CoxError('no-browser', `No browser can be used here (${found.tried.join('; ')})`, {
      hint: env.COX_CHROMIUM ? `Set COX_CHROMIUM to a Chrome or Chromium of ${oldestMajor} or later, or unset it.` : installHint,
    });
  return fetchBrowser(options);
}

/** Fetches Chromium into the cache, unless it is there. @throws CoxError `no-browser` where there is none for this machine. */
export async function fetchBrowser(options: DownloadOptions): Promise<FoundBrowser> {
  if (!isChromiumFetchable())
    throw new CoxError('no-browser', `There is no Chromium to fetch for ${process.platform} on ${process.arch}`, {
      hint: 'Install Chrome, Chromium or Edge, or name one in COX_CHROMIUM.',
    });
  const { path, env } = chromiumIn(await obtainPackages(chromiumSet, options));
  return { path, env, version: `Chromium ${chromiumVersion}`, source: 'cache' };
}

function versionOf(path: string, signal: AbortSignal | undefined): Promise<{ version: string | null } | { problem: string }> {
  if (!isExecutable(path)) return Promise.resolve({ problem: 'is no program' });
  // On Windows a browser that is asked for its version opens a window.
  if (process.platform === 'win32') return Promise.resolve({ version: null });
  return new Promise((resolve, reject) => {
    const options = { timeout: versionTimeoutMs, killSignal: 'SIGKILL', ...(signal ? { signal } : {}) } as const;
    execFile(path, ['--version'], options, (error, stdout, stderr) => {
      if (signal?.aborted) return reject(signal.reason);
      const version = stdout
        .split('\n')
        .find((line) => /Chrom|Edge/.test(line) && /\d\.\d/.test(line))
        ?.trim();
      if (version) return resolve({ version });
      const said = (stderr || stdout).trim().split('\n')[0];
      resolve({
        problem: error ? `cannot be run (${said || messageOf(error)})` : `is no Chrome, Chromium or Edge (its output: "${said}")`,
      });
    });
  });
}
