/** Obtains a nats-server: finds an installed one, else downloads one into the cache, else builds one with Go. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Asset, Progress } from '../../platform/asset.ts';
import { download } from '../../platform/download.ts';
import { CoxError, messageOf } from '../../platform/errors.ts';
import { executableOnPath } from '../../platform/executables.ts';
import { withLock } from '../../platform/lock.ts';
import type { Log } from '../../platform/log.ts';
import { builtFile, pinnedVersion, serverAsset } from './server-asset.ts';
import { type FindOptions, findServerBinary, type ServerBinary } from './server-binary.ts';

export interface ObtainOptions extends FindOptions {
  readonly log: Log;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

const goModule = `github.com/nats-io/nats-server/v2@v${pinnedVersion}`;
/** Longest time in ms for `go install`. Compiling takes long on a slow machine. */
const goTimeoutMs = 15 * 60_000;

/** @throws CoxError `nats-server-missing`, `no-space`, `read-only`, `storage-failed`; the reason of `signal`. */
export async function obtainServerBinary(options: ObtainOptions): Promise<ServerBinary> {
  const { folders, env, log, signal, onProgress } = options;
  const found = await findServerBinary(options);
  if (!('missing' in found)) return found;
  const tried = [...found.tried];
  if (env.COX_NATS_SERVER) throw missing(tried, 'Correct COX_NATS_SERVER, or unset it so that a nats-server is downloaded.');

  const asset = serverAsset();
  if (asset) {
    try {
      const path = await download(asset, { folder: folders.cache, log, signal, onProgress, env });
      return { path, version: pinnedVersion, source: 'cache' };
    } catch (error) {
      if (!(error instanceof CoxError) || error.code !== 'download-failed') throw error;
      tried.push(error.message);
    }
  } else tried.push(`there is no binary for ${process.platform}-${process.arch}`);

  const go = executableOnPath('go', env);
  if (go) {
    try {
      return await build(go, asset, options);
    } catch (error) {
      if (signal?.aborted || error instanceof CoxError) throw error;
      tried.push(`go install: ${messageOf(error)}`);
    }
  } else tried.push('go install: there is no Go on the PATH');
  throw missing(
    tried,
    `Install nats-server ${pinnedVersion} on the PATH, or name its file in COX_NATS_SERVER, or name a running server in NATS_URL.`,
  );
}

const missing = (tried: readonly string[], hint: string): CoxError =>
  new CoxError('nats-server-missing', `No nats-server was found. ${tried.join('. ')}`, { hint });

/**
 * Go verifies the module against its public checksum database. The built binary differs from the pinned one, so it has its own
 * name.
 */
async function build(
  go: string,
  asset: Asset | null,
  { folders, env, log, signal, onProgress }: ObtainOptions,
): Promise<ServerBinary> {
  const target = join(folders.cache, builtFile);
  const name = `nats-server ${pinnedVersion} (built by go install, about a minute)`;
  const shown: Asset = { ...(asset ?? { file: builtFile, sha256: '', sources: [] }), name, bytes: asset?.bytes ?? 19_000_000 };
  const tell = (doneBytes: number) => onProgress?.({ asset: shown, doneBytes, totalBytes: shown.bytes, from: 'go install' });
  return withLock(
    join(folders.cache, 'locks', 'nats-server-built'),
    async () => {
      tell(0);
      mkdirSync(dirname(target), { recursive: true });
      const scratch = mkdtempSync(join(dirname(target), 'build-'));
      try {
        await goInstall(go, { ...env, GOBIN: scratch, GOFLAGS: '' }, signal);
        renameSync(join(scratch, process.platform === 'win32' ? 'nats-server.exe' : 'nats-server'), target);
      } finally {
        rmSync(scratch, { recursive: true, force: true });
      }
      log.info({ file: target }, 'built nats-server');
      tell(shown.bytes);
      return { path: target, version: pinnedVersion, source: 'go install' };
    },
    { signal },
  );
}

function goInstall(go: string, env: NodeJS.ProcessEnv, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { env, timeout: goTimeoutMs, ...(signal ? { signal } : {}) };
    execFile(go, ['install', goModule], options, (error, _stdout, stderr) => {
      if (!error) return resolve();
      reject(signal?.aborted ? signal.reason : new Error(stderr.trim().split('\n').at(-1) || messageOf(error), { cause: error }));
    });
  });
}
