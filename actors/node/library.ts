/** The way in for programs: a crew and a node with the defaults that the command line has. */
import { foldersOf } from '../../platform/folders.ts';
import { openLog } from '../../platform/log.ts';
import type { Roster } from '../../roster/schema.ts';
import { openRoster } from '../../roster/watch.ts';
import { type CrewSession, type JoinOptions, joinCrew as join } from './join.ts';
import { type CoxNode, type NodeOptions, startNode as start } from './node.ts';

/**
 * Joins the crew: the NATS server that NATS_URL names, else the embedded one of this machine and user, which is started (and fetched, if
 * need be) where none runs. Every option has a default: `env` is process.env, the log goes to the state folder, nothing is printed.
 * @throws CoxError `nats-unreachable`, `nats-denied`, `nats-too-old`, …; `no-crew` with `start: false` where none runs.
 */
export function joinCrew(options: Partial<JoinOptions> = {}): Promise<CrewSession> {
  const { env = process.env, folders = foldersOf(env) } = options;
  return join({
    env,
    folders,
    log: openLog({ folder: folders.state, verbose: false, name: 'library' }),
    start: true,
    signal: new AbortController().signal,
    ...options,
  });
}

export interface StartOptions extends Partial<Omit<NodeOptions, 'joined' | 'roster'>> {
  /** The path of a roster file, which is followed while the node runs, or a roster. Default: the one that `cox` would use here. */
  readonly roster?: string | Roster;
}

/**
 * Hosts tasks in this process until `stop()`, which hands unfinished ones back to the crew. `workspace` is the current folder by default.
 * @throws RosterError, whose `problems` name line and column.
 */
export async function startNode(joined: CrewSession, { roster, ...options }: StartOptions = {}): Promise<CoxNode> {
  const live = typeof roster === 'object' ? { current: () => roster, stop: () => {} } : await follow(joined, roster);
  const common = { joined, roster: live, workspace: process.cwd(), onProgress: () => {} };
  try {
    const node = await start({ ...common, ...options });
    const stop = async () => {
      await node.stop();
      live.stop();
    };
    return { ...node, stop };
  } catch (cause) {
    live.stop();
    throw cause;
  }
}

const follow = ({ env, folders, log }: CrewSession, path: string | undefined) =>
  openRoster({ env, folders, log, cwd: process.cwd(), ...(path !== undefined && { path }) });
