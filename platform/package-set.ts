/**
 * Large npm packages that Coxswain fetches on first use, such as a browser or language data, instead of depending on them. A set is
 * a folder with a package.json and a package-lock.json, in which each package is pinned by version and sha512. Invariants:
 * - A set at its final path is complete: npm has checked each package, and the folder is renamed to that path at the end.
 * - The path has the hash of the lock, so another version of Coxswain never takes a set for its own.
 * - One process installs; the others wait for it and use its folder.
 * - An interrupted install leaves no set. What it has left is removed by the next one; npm's cache keeps what had arrived.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beginningOf } from './cut.ts';
import { requireSpace } from './disk-space.ts';
import type { DownloadOptions } from './download.ts';
import { CoxError, codeOf, storageError } from './errors.ts';
import { withLock } from './lock.ts';
import { Npm, NpmFailed, noNpm } from './npm.ts';
import { sizeOf } from './progress.ts';

export interface PackageSet {
  /** Shown to the operator: `Chromium 153`. */
  readonly name: string;
  /** The folder with package.json and package-lock.json. Its own name becomes part of the path in the cache. */
  readonly folder: string;
  /** The size of the installed packages. It is said before the fetch, and is what progress counts to. */
  readonly bytes: number;
  /** The room that `finish` needs beside the packages. Default 0. */
  readonly finishBytes?: number;
  /** Prepares the installed packages, for example unpacks them, before the set counts as complete. Default: nothing. */
  readonly finish?: (folder: string, signal: AbortSignal) => Promise<void>;
}

const watchEveryMs = 250;
const othersPollMs = 500;
/** The module through which the packages of a set are imported, as if by a program that lies in its folder. */
const doorway = 'import.mjs';

/** The folder `packages/<name>` of Coxswain: one up from here in a checkout, two up in the built package. */
export function shippedSet(name: string): string {
  const places = ['../packages/', '../../packages/'].map((up) => fileURLToPath(new URL(`${up}${name}`, import.meta.url)));
  return places.find((place) => existsSync(join(place, 'package-lock.json'))) ?? places[0]!;
}

/** The folder of the installed set in the cache, or null. */
export function cachedPackages(set: PackageSet, cacheFolder: string): string | null {
  const target = targetOf(set, cacheFolder);
  return existsSync(join(target, doorway)) ? target : null;
}

/**
 * @returns The folder whose `node_modules` has the packages.
 * @throws CoxError `no-npm`, `no-space`, `read-only`, `storage-failed`, `download-failed`; or the signal's reason.
 */
export async function obtainPackages(set: PackageSet, options: DownloadOptions): Promise<string> {
  const found = cachedPackages(set, options.folder);
  if (found) return found;
  const target = targetOf(set, options.folder);
  let watch: NodeJS.Timeout | undefined;
  const onWait = () => {
    options.log.info({ set: set.name }, 'another process is installing it: waiting');
    const report = () =>
      tell(
        set,
        options,
        partsOf(target).reduce((sum, part) => sum + bytesIn(part), 0),
        'another cox',
      );
    watch = setInterval(report, othersPollMs);
  };
  try {
    return await withLock(
      join(options.folder, 'locks', basename(target)),
      async () => {
        clearInterval(watch);
        return cachedPackages(set, options.folder) ?? (await installLocked(set, target, options));
      },
      { signal: options.signal, onWait },
    );
  } finally {
    clearInterval(watch);
  }
}

/** Imports a package of an installed set, in whichever module format it is. */
export async function importFrom(folder: string, name: string): Promise<unknown> {
  const { load } = (await import(pathToFileURL(join(folder, doorway)).href)) as { load: (name: string) => Promise<unknown> };
  return load(name);
}

function targetOf(set: PackageSet, cacheFolder: string): string {
  const lock = createHash('sha256')
    .update(readFileSync(join(set.folder, 'package-lock.json')))
    .digest('hex');
  return join(cacheFolder, 'packages', `${basename(set.folder)}-${lock.slice(0, 16)}`);
}

/** A reported size never passes the total, since the size of a set differs a little between file systems. */
const tell = (set: PackageSet, options: DownloadOptions, doneBytes: number, from: string): void =>
  options.onProgress?.({ asset: set, doneBytes: Math.min(doneBytes, set.bytes), totalBytes: set.bytes, from });

async function installLocked(set: PackageSet, target: string, options: DownloadOptions): Promise<string> {
  const signal = options.signal ?? new AbortController().signal;
  const part = `${target}.${randomBytes(4).toString('hex')}.part`;
  let watch: NodeJS.Timeout | undefined;
  try {
    mkdirSync(dirname(target), { recursive: true });
    for (const left of partsOf(target)) rmSync(left, { recursive: true, force: true });
    const npm = Npm.find(options.env ?? process.env);
    if (!npm) throw noNpm('looked on the PATH and beside Node');
    await requireSpace(set.name, set.bytes + (set.finishBytes ?? 0), dirname(target));
    mkdirSync(part);
    for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(set.folder, file), join(part, file));
    tell(set, options, 0, 'npm');
    watch = setInterval(() => tell(set, options, bytesIn(part), 'npm'), watchEveryMs);
    await npm.install(part, signal);
    clearInterval(watch);
    writeFileSync(join(part, doorway), 'export const load = (name) => import(name);\n');
    await set.finish?.(part, signal);
    renameSync(part, target);
    tell(set, options, set.bytes, 'npm');
    options.log.info({ set: set.name, folder: target }, 'installed and verified');
    return target;
  } catch (error) {
    clearInterval(watch);
    rmSync(part, { recursive: true, force: true, maxRetries: 3 });
    if (signal.aborted) throw signal.reason;
    throw failureOf(error, set, target);
  }
}

/** Errors of the disk read the same whether npm or Coxswain hit them; any other end of npm is a failed download. */
function failureOf(error: unknown, set: PackageSet, target: string): CoxError {
  if (error instanceof CoxError) return error;
  const code = codeOf(error);
  if (/^(ENOSPC|EDQUOT|EROFS|EACCES|EPERM)$/.test(code) || !(error instanceof NpmFailed))
    return storageError(error, target, `installing ${set.name}`);
  const why = beginningOf(error.message, 500);
  const hint =
    code === 'EINTEGRITY'
      ? 'The registry delivered other content than the one that this version of Coxswain expects. Use another registry.'
      : 'Check the network and the registry of npm (`npm config get registry`), then try again.';
  return new CoxError('download-failed', `Could not get ${set.name} (${sizeOf(set.bytes)}): ${why}`, { hint, cause: error });
}

/** The folders that installs under way, or interrupted ones, have beside the final path. */
function partsOf(target: string): string[] {
  try {
    const isPart = (name: string) => name.startsWith(`${basename(target)}.`) && name.endsWith('.part');
    return readdirSync(dirname(target))
      .filter(isPart)
      .map((name) => join(dirname(target), name));
  } catch {
    return [];
  }
}

/** Files vanish while npm works on the folder: then the sum is of the others. */
function bytesIn(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).reduce((sum, name) => sum + sizeAt(join(folder, name)), 0);
  } catch {
    return 0;
  }
}

function sizeAt(path: string): number {
  try {
    const stats = statSync(path);
    return stats.isFile() ? stats.size : 0;
  } catch {
    return 0;
  }
}
