/** A node in this process: the roster, its backends, and a worker for the tasks of the crew. Used by `start`, `run`, `up` and `worker`. */
import { stat } from 'node:fs/promises';
import type { CrewSession } from '../actors/node/join.ts';
import type { startNode } from '../actors/node/node.ts';
import type { Progress } from '../platform/asset.ts';
import type { Roster } from '../roster/schema.ts';
import type { Cli } from './cli.ts';
import { usageError } from './errors.ts';
import { openRoster } from './roster.ts';

export interface HostOptions {
  readonly types?: string[] | undefined;
  readonly slots?: number | undefined;
  readonly onProgress: (progress: Progress) => void;
  /** What an operator should know meanwhile: the roster has changed. */
  readonly note: (text: string) => void;
}

type Node = Awaited<ReturnType<typeof startNode>>;
export interface HostedNode extends Pick<Node, 'name' | 'menu' | 'drain' | 'backends' | 'report' | 'holding'> {
  roster(): Roster;
  /** Kinds of task that can be dispatched. */
  types(): string[];
  /** Hands back what it holds. Idempotent. */
  stop(): Promise<void>;
}

export async function hostNode(
  cli: Cli,
  joined: CrewSession,
  { types, slots, onProgress, note }: HostOptions,
): Promise<HostedNode> {
  await checkWorkspace(cli.global.workspace);
  const { startNode } = await import('../actors/node/node.ts');
  const roster = await openRoster(cli, joined.folders, joined.log, note);
  const { file, by } = roster.source;
  // It says where what is read here is sent, and it may have come with the folder.
  if (by === 'working folder') note(`The roster of this folder is in use: ${file}`);
  try {
    const node = await startNode({
      joined,
      roster,
      workspace: cli.global.workspace,
      onProgress,
      note,
      ...(types ? { types } : {}),
      ...(slots ? { slots } : {}),
    });
    return {
      name: node.name,
      backends: node.backends,
      roster: () => roster.current(),
      menu: () => node.menu(),
      drain: () => node.drain(),
      report: () => node.report(),
      holding: () => node.holding(),
      types: () => typesOf(roster.current()),
      async stop() {
        await node.stop();
        roster.stop();
      },
    };
  } catch (error) {
    roster.stop();
    throw error;
  }
}

/** Without it every file tool of every task here would fail, one by one. */
async function checkWorkspace(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => null);
  if (found?.isDirectory()) return;
  const what = found ? 'is no folder' : 'is not there';
  throw usageError(
    `The workspace ${folder} ${what}.`,
    'Name the folder where file tools may look: --workspace <dir>.',
    'bad-workspace',
  );
}

export const typesOf = (roster: { readonly agents: object }): string[] => ['supervisor', ...Object.keys(roster.agents)];
