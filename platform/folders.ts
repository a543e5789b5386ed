/**
 * The folders of Coxswain: downloads (cache), data that must outlive a run (state), files that the operator writes (config). The
 * XDG variables count on every system, so that two separate crews can run on one machine.
 */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

export interface Folders {
  /** Downloads. The folder can be deleted at any time: its files are downloaded again when needed. */
  readonly cache: string;
  /** The bus's data, logs, history. */
  readonly state: string;
  readonly config: string;
}

const app = 'coxswain';

function defaultsOn(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): Folders {
  const home = env.HOME || env.USERPROFILE || homedir();
  if (platform === 'win32') {
    const local = join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), app);
    return { cache: join(local, 'cache'), state: join(local, 'state'), config: join(env.APPDATA || local, app) };
  }
  if (platform === 'darwin') {
    const support = join(home, 'Library', 'Application Support', app);
    return { cache: join(home, 'Library', 'Caches', app), state: join(support, 'state'), config: support };
  }
  return { cache: join(home, '.cache', app), state: join(home, '.local', 'state', app), config: join(home, '.config', app) };
}

/** A relative path in an XDG variable is ignored, as the XDG base directory specification says. */
export function foldersOf(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): Folders {
  const defaults = defaultsOn(platform, env);
  const folder = (name: string, otherwise: string): string => {
    const base = env[name];
    return base && isAbsolute(base) ? join(base, app) : otherwise;
  };
  return {
    cache: folder('XDG_CACHE_HOME', defaults.cache),
    state: folder('XDG_STATE_HOME', defaults.state),
    config: folder('XDG_CONFIG_HOME', defaults.config),
  };
}

/** The log file below a state folder. */
export const logFileIn = (stateFolder: string): string => join(stateFolder, 'log', 'cox.log');
