/** Finds a nats-server on this machine: the one that COX_NATS_SERVER names, on the PATH, or in the cache. Downloads nothing. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { cachedAsset } from '../../platform/download.ts';
import { messageOf } from '../../platform/errors.ts';
import { executableOnPath, isExecutable } from '../../platform/executables.ts';
import type { Folders } from '../../platform/folders.ts';
import { isNewEnough, oldestServer, versionIn } from '../server-version.ts';
import { builtFile, pinnedVersion, serverAsset } from './server-asset.ts';

export type BinarySource = 'COX_NATS_SERVER' | 'PATH' | 'cache' | 'go install';

export interface ServerBinary {
  readonly path: string;
  readonly version: string;
  readonly source: BinarySource;
}

export interface NoServerBinary {
  readonly missing: true;
  /** For the operator: every place that was searched, with the reason why no server there can be used. */
  readonly tried: readonly string[];
}

export interface FindOptions {
  readonly folders: Folders;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

const versionTimeoutMs = 10_000;

/** Searches COX_NATS_SERVER, the PATH and the cache, in this order. If COX_NATS_SERVER is set, no other place is searched. */
export async function findServerBinary({ folders, env, signal }: FindOptions): Promise<ServerBinary | NoServerBinary> {
  const tried: string[] = [];
  const tryOne = async (path: string, source: BinarySource): Promise<ServerBinary | null> => {
    const verdict = await versionOf(path, signal);
    if ('version' in verdict && isNewEnough(verdict.version)) return { path, version: verdict.version, source };
    const why = 'version' in verdict ? `is ${verdict.version}, older than ${oldestServer}` : verdict.problem;
    tried.push(`${source}: ${path} ${why}`);
    return null;
  };

  const chosen = env.COX_NATS_SERVER;
  if (chosen) return (await tryOne(chosen, 'COX_NATS_SERVER')) ?? { missing: true, tried };

  const onPath = executableOnPath('nats-server', env);
  if (onPath) {
    const found = await tryOne(onPath, 'PATH');
    if (found) return found;
  } else tried.push('PATH: it has no nats-server');

  // Not started to ask for the version: it is in the file name, and the file was verified when it was stored.
  const asset = serverAsset();
  const cached = asset && cachedAsset(asset, folders.cache);
  if (cached) return { path: cached, version: pinnedVersion, source: 'cache' };
  const built = join(folders.cache, builtFile);
  if (isExecutable(built)) return { path: built, version: pinnedVersion, source: 'go install' };
  tried.push(`cache: ${join(folders.cache, 'bin')} has no nats-server`);
  return { missing: true, tried };
}

function versionOf(path: string, signal: AbortSignal | undefined): Promise<{ version: string } | { problem: string }> {
  return new Promise((resolve, reject) => {
    const options = { timeout: versionTimeoutMs, ...(signal ? { signal } : {}) };
    execFile(path, ['--version'], options, (error, stdout, stderr) => {
      if (signal?.aborted) return reject(signal.reason);
      const version = versionIn(stdout);
      if (version && stdout.startsWith('nats-server')) return resolve({ version });
      const said = (stderr || stdout).trim().split('\n')[0];
      resolve({
        problem: error ? `cannot be run (${said || messageOf(error)})` : `is not a nats-server (its output: "${said}")`,
      });
    });
  });
}
