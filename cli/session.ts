/** Joins the crew for the duration of one command. Large modules are imported here, only when a command needs them. */
import type { CrewSession } from '../actors/node/join.ts';
import type { Crew } from '../bus/crew.ts';
import { isTaskId, type TaskId } from '../bus/task-id.ts';
import { codeOf } from '../platform/errors.ts';
import type { Cli } from './cli.ts';
import { unknownTask } from './errors.ts';
import { resolveName } from './task-ref.ts';

export interface JoinOptions {
  /**
   * Whether to start an embedded server if none runs; otherwise a missing server is an error. `if stored`: start one for the
   * duration of the command if there is stored data, because neither reading nor sending a message needs a node.
   */
  readonly start: boolean | 'if stored';
  /** Receives a message when the connection is lost or restored. Default: prints it on stderr. */
  readonly note?: (text: string) => void;
}

/** @param use its second argument tells whether the server was started for this command alone, so that no node is up. */
export async function withCrew<T>(
  cli: Cli,
  options: JoinOptions,
  use: (joined: CrewSession, isTemporary: boolean) => Promise<T>,
): Promise<T> {
  const { joined, isTemporary } = await join(cli, options);
  const watching = new AbortController();
  const connection = reportConnection(joined, options.note ?? ((text) => cli.out.note(text)), watching.signal);
  try {
    return await use(joined, isTemporary);
  } finally {
    watching.abort();
    await joined.close();
    await connection;
  }
}

async function join(cli: Cli, { start }: JoinOptions): Promise<{ joined: CrewSession; isTemporary: boolean }> {
  if (start !== 'if stored') return { joined: await joinAs(cli, start), isTemporary: false };
  try {
    return { joined: await joinAs(cli, false), isTemporary: false };
  } catch (error) {
    if (codeOf(error) !== 'no-crew' || !(await hasStoredData(cli))) throw error;
    cli.out.note(cli.out.paint.stderr.dim('No crew is running: this command uses what is stored.'));
    return { joined: await joinAs(cli, true), isTemporary: true };
  }
}

async function hasStoredData(cli: Cli): Promise<boolean> {
  const [{ serverPaths }, { foldersOf }, { existsSync }] = await Promise.all([
    import('../bus/embedded/server-record.ts'),
    import('../platform/folders.ts'),
    import('node:fs'),
  ]);
  return existsSync(serverPaths(foldersOf(cli.env)).data);
}

async function joinAs(cli: Cli, start: boolean): Promise<CrewSession> {
  const [{ joinCrew }, { foldersOf }, { openLog }, { progressBar }] = await Promise.all([
    import('../actors/node/join.ts'),
    import('../platform/folders.ts'),
    import('../platform/log.ts'),
    import('../platform/progress.ts'),
  ]);
  const folders = foldersOf(cli.env);
  const log = openLog({ folder: folders.state, verbose: cli.global.verbose, name: 'cli' });
  return joinCrew({ env: cli.env, log, folders, start, onProgress: progressBar(cli.out.stderr).onProgress, signal: cli.signal });
}

async function reportConnection(joined: CrewSession, note: (text: string) => void, stopped: AbortSignal): Promise<void> {
  for await (const change of joined.connection()) {
    if (stopped.aborted) return;
    note(
      change === 'disconnected'
        ? 'The connection to the bus is lost. No work is lost; reconnecting …'
        : 'Reconnected to the bus.',
    );
  }
}

/** The time `minutes` from now by the clock of the bus. Nodes check deadlines by that clock; this machine's clock may differ. */
export const pointInTime = ({ bus }: CrewSession, minutes: number | undefined): string | null =>
  minutes === undefined ? null : new Date(bus.now().getTime() + minutes * 60_000).toISOString();

/**
 * The workspace for a dispatched task, or null for the workspace of the node that claims it. On a shared server the claiming node
 * may run on another machine, so the current folder counts only on an embedded server, or if the operator has named a workspace.
 */
export const workspaceFor = (cli: Cli, { server }: CrewSession): string | null =>
  server.embedded || cli.global.workspaceNamed ? cli.global.workspace : null;

/**
 * Resolves an operator's name for a task to the id of an existing task.
 * @throws CoxError `unknown-task`, `ambiguous-task`, `usage`.
 */
export async function findTask(crew: Crew, ref: string, lastGoal: TaskId | null = null): Promise<TaskId> {
  // A full id is checked directly, without a read of all tasks.
  if (isTaskId(ref) && (await crew.status(ref))) return ref;
  const tasks = await crew.tasks();
  const known = tasks.map((task) => task.id);
  const id = resolveName(ref, tasks, lastGoal);
  if (known.includes(id) || (await crew.status(id))) return id;
  throw unknownTask(id, known);
}
