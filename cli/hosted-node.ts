/** Hosts a node in this process: a roster, its backends and a worker. Used by `start`, `run`, `up` and `worker`. */
import { stat } from 'node:fs/promises';
import type { CrewSession } from '../actors/node/join.ts';
import type { startNode } from '../actors/node/node.ts';
import type { Progress } from '../platform/asset.ts';
import type { Roster } from '../roster/schema.ts';
import type { Cli } from './cli.ts';
import { usageError } from './errors.ts';
import { oneLine } from './render/printable.ts';
import { openRoster } from './roster.ts';

export interface HostOptions {
  readonly types?: string[] | undefined;
  readonly slots?: number | undefined;
  /** Whether the node keeps figures for `metrics()`. Default: only if an exporter of OpenTelemetry is configured. */
  readonly metrics?: boolean;
  readonly onProgress: (progress: Progress) => void;
  /** Receives messages for the operator while the node runs, such as a change of the roster. */
  readonly note: (text: string) => void;
}

type Node = Awaited<ReturnType<typeof startNode>>;
export interface HostedNode extends Pick<Node, 'name' | 'menu' | 'drain' | 'backends' | 'report' | 'holding' | 'metrics'> {
  roster(): Roster;
  /** Kinds of task that can be dispatched. */
  types(): string[];
  /** Gives back the tasks that the node holds, then ends its backends. Idempotent. */
  stop(): Promise<void>;
}

export async function hostNode(
  cli: Cli,
  joined: CrewSession,
  { types, slots, onProgress, note, metrics }: HostOptions,
): Promise<HostedNode> {
  await checkWorkspace(cli.global.workspace);
  const { startNode } = await import('../actors/node/node.ts');
  const roster = await openRoster(cli, joined.folders, joined.log, note);
  const { file, by } = roster.source;
  // A roster decides to which servers the content of files is sent, and this one may have come with a downloaded folder.
  if (by === 'working folder') note(`The roster of this folder is in use: ${oneLine(file, 400)}`);
  try {
    const node = await startNode({
      joined,
      roster,
      workspace: cli.global.workspace,
      onProgress,
      note,
      ...(types ? { types } : {}),
      ...(slots ? { slots } : {}),
      ...(metrics ? { metrics } : {}),
    });
    return {
      name: node.name,
      backends: node.backends,
      roster: () => roster.current(),
      menu: () => node.menu(),
      drain: () => node.drain(),
      report: () => node.report(),
      holding: () => node.holding(),
      metrics: () => node.metrics(),
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

/** @throws CoxError `bad-workspace`. Without a workspace every file tool of every task on this node would fail. */
async function checkWorkspace(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => null);
  if (found?.isDirectory()) return;
  const what = found ? 'is not a folder' : 'does not exist';
  throw usageError(
    `The workspace ${folder} ${what}.`,
    'Name the folder that file tools may use: --workspace <dir>.',
    'bad-workspace',
  );
}

export const typesOf = (roster: { readonly agents: object }): string[] => ['supervisor', ...Object.keys(roster.agents)];
