/** The entry points for programs: a crew and a node with the defaults of the command line. */
import { foldersOf } from '../../platform/folders.ts';
import { openLog } from '../../platform/log.ts';
import { openRoster } from '../../roster/live-roster.ts';
import type { Roster } from '../../roster/schema.ts';
import { type CrewSession, type JoinOptions, joinCrew as join } from './join.ts';
import { type CoxNode, type NodeOptions, startNode as start } from './node.ts';
import { checkTypes } from './node-options.ts';

/**
 * Joins the crew on the NATS server that NATS_URL names, else on the embedded server of this machine and user. If no embedded
 * server runs, one is started, and downloaded first if necessary. Defaults: `env` is process.env, the log goes to the state
 * folder, nothing is printed.
 * @throws CoxError `nats-unreachable`, `nats-denied`, `nats-too-old`, …; `no-crew` with `start: false` if no server runs.
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
  /**
   * A roster, or the path of a roster file whose changes take effect while the node runs. Default: the roster that `cox` would
   * use here.
   */
  readonly roster?: string | Roster;
}

/**
 * Hosts tasks in this process until `stop()`, which gives unfinished tasks back to the crew. The default of `workspace` is the
 * current folder.
 * @throws RosterError for an invalid roster; its `problems` name line and column. CoxError `bad-options`, `bad-kind`;
 * `unknown-type` for a type that neither the roster nor `kinds` has.
 */
export async function startNode(joined: CrewSession, { roster, ...options }: StartOptions = {}): Promise<CoxNode> {
  const live = typeof roster === 'object' ? { current: () => roster, stop: () => {} } : await follow(joined, roster);
  const common = { joined, roster: live, workspace: process.cwd(), onProgress: () => {} };
  try {
    const { types, kinds = [] } = options;
    if (types) checkTypes(types, ['supervisor', ...kinds.map(({ name }) => name), ...Object.keys(live.current().agents)]);
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
