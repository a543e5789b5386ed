/** A node in this process: the roster, its backends, and a worker for the tasks of the crew. Used by `start`, `run`, `up` and `worker`. */
import type { Joined } from '../actors/join.ts';
import type { startNode } from '../actors/node.ts';
import type { Progress } from '../platform/asset.ts';
import type { Roster } from '../roster/schema.ts';
import type { Cli } from './cli.ts';
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

export async function hostNode(cli: Cli, joined: Joined, { types, slots, onProgress, note }: HostOptions): Promise<HostedNode> {
  const { startNode } = await import('../actors/node.ts');
  const roster = await openRoster(cli, joined.folders, joined.log, note);
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

export const typesOf = (roster: { readonly agents: object }): string[] => ['supervisor', ...Object.keys(roster.agents)];
