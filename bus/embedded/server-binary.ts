/** Finds a nats-server that is already here: the one named by COX_NATS_SERVER, on the PATH, or in the cache. Downloads nothing. */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cachedAsset } from '../../platform/download.ts';
import { messageOf } from '../../platform/errors.ts';
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
  /** Every place that was looked at, and why it would not do; for an operator. */
  readonly tried: readonly string[];
}

export interface FindOptions {
  readonly folders: Folders;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

const versionTimeoutMs = 10_000;

/** In this order. When COX_NATS_SERVER is set nothing else is looked at: the operator has chosen. */
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
  } else tried.push('PATH: no nats-server there');

  // Their version is in their name, and they were verified when they were put there: no process is started to ask.
  const asset = serverAsset();
  const cached = asset && cachedAsset(asset, folders.cache);
  if (cached) return { path: cached, version: pinnedVersion, source: 'cache' };
  const built = join(folders.cache, builtFile);
  if (isExecutable(built)) return { path: built, version: pinnedVersion, source: 'go install' };
  tried.push(`cache: nothing in ${join(folders.cache, 'bin')}`);
  return { missing: true, tried };
}

/** The first file of that name on the PATH that can be run, or null. */
export function executableOnPath(name: string, env: NodeJS.ProcessEnv): string | null {
  const file = process.platform === 'win32' ? `${name}.exe` : name;
  const path = env.PATH ?? env.Path ?? '';
  return (
    path
      .split(delimiter)
      .filter(Boolean)
      .map((folder) => join(folder, file))
      .find(isExecutable) ?? null
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function versionOf(path: string, signal: AbortSignal | undefined): Promise<{ version: string } | { problem: string }> {
  return new Promise((resolve, reject) => {
    const options = { timeout: versionTimeoutMs, ...(signal ? { signal } : {}) };
    execFile(path, ['--version'], options, (error, stdout, stderr) => {
      if (signal?.aborted) return reject(signal.reason);
      const version = versionIn(stdout);
      if (version && stdout.startsWith('nats-server')) return resolve({ version });
      const said = (stderr || stdout).trim().split('\n')[0];
      resolve({ problem: error ? `cannot be run (${said || messageOf(error)})` : `is no nats-server (it said "${said}")` });
    });
  });
}
