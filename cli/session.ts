/** Joining the crew for the length of one command. Everything heavy is loaded here, when a command needs it and not before. */
import type { CrewSession } from '../actors/node/join.ts';
import type { Crew } from '../bus/crew.ts';
import { isTaskId, type TaskId } from '../bus/task-id.ts';
import type { Cli } from './cli.ts';
import { unknownTask } from './errors.ts';
import { resolveTask } from './task-ref.ts';

export interface JoinOptions {
  /** Start an embedded server when none runs; without, a crew that is not there is an error. */
  readonly start: boolean;
  /** What a connection that is lost and found is told to. Default: stderr. */
  readonly note?: (text: string) => void;
}

export async function withCrew<T>(cli: Cli, options: JoinOptions, use: (joined: CrewSession) => Promise<T>): Promise<T> {
  const joined = await join(cli, options);
  const watching = new AbortController();
  const connection = reportConnection(joined, options.note ?? ((text) => cli.out.note(text)), watching.signal);
  try {
    return await use(joined);
  } finally {
    watching.abort();
    await joined.close();
    await connection;
  }
}

async function join(cli: Cli, { start }: JoinOptions): Promise<CrewSession> {
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
    note(change === 'disconnected' ? 'The bus is away; nothing is lost, reconnecting …' : 'The bus is back.');
  }
}

/** So many minutes from now by the bus's clock: the nodes that keep the deadline have that one, and perhaps not ours. */
export const pointInTime = ({ bus }: CrewSession, minutes: number | undefined): string | null =>
  minutes === undefined ? null : new Date(bus.now().getTime() + minutes * 60_000).toISOString();

/**
 * The folder a dispatched task is told. On a server that others use too the current folder of this terminal means nothing to the node that
 * takes the task, unless the operator has named it.
 */
export const workspaceFor = (cli: Cli, { server }: CrewSession): string | null =>
  server.embedded || cli.global.workspaceNamed ? cli.global.workspace : null;

/** The task an operator means, which exists. */
export async function findTask(crew: Crew, ref: string, lastGoal: TaskId | null = null): Promise<TaskId> {
  // A full id needs no list of all tasks.
  if (isTaskId(ref) && (await crew.status(ref))) return ref;
  const known = (await crew.tasks()).map((task) => task.id);
  const id = resolveTask(ref, known, lastGoal);
  if (known.includes(id) || (await crew.status(id))) return id;
  throw unknownTask(id, known);
}
