/** A node without a prompt, for `up` and `worker`. The first signal drains it, a second one stops it at once; no task is lost. */
import { z } from 'zod';
import type { CrewSession } from '../actors/node/join.ts';
import { foldersOf } from '../platform/folders.ts';
import type { Cli, Run } from './cli.ts';
import { drainNode } from './drain.ts';
import { usageError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { type HostedNode, hostNode, typesOf } from './hosted-node.ts';
import { count, list, parseOptions } from './parse-options.ts';
import { oneLine } from './render/printable.ts';
import { readRoster } from './roster.ts';
import { withCrew } from './session.ts';

const Shape = z.object({ types: list.optional(), slots: count(1, 10_000).optional() });

/** @param start Whether to start a server if none runs. `up` does; `worker` only joins a running one. */
export const headless =
  ({ start }: { start: boolean }): Run =>
  async (cli, _args, options) => {
    const { types, slots } = parseOptions(Shape, options);
    if (types) await checkTypes(cli, types);
    return withCrew(cli, { start }, async (joined) => {
      const { progressBar } = await import('../platform/progress.ts');
      const { onProgress } = progressBar(cli.out.stderr);
      return work(cli, joined, await hostNode(cli, joined, { types, slots, onProgress, note: (text) => cli.out.note(text) }));
    });
  };

async function checkTypes(cli: Cli, types: readonly string[]): Promise<void> {
  const { roster, source } = await readRoster(cli, foldersOf(cli.env));
  const known = typesOf(roster);
  const unknown = types.filter((type) => !known.includes(type));
  if (unknown.length === 0 && types.length > 0) return;
  const what = unknown.length > 0 ? `There is no kind of task "${unknown.join('", "')}"` : '--types names no kind of task';
  throw usageError(`${what} in the roster ${source.file}.`, `There are: ${known.join(', ')}.`, 'unknown-type');
}

async function work(cli: Cli, joined: CrewSession, node: HostedNode): Promise<number> {
  const told = Promise.withResolvers<void>();
  const release = cli.onSignal(() => told.resolve());
  try {
    // A signal during the start went to the default handler: drain the node, then end with the exit code of that signal.
    if (cli.signal.aborted) {
      if (!(await drainNode(cli, { node, joined, patienceMs: 0 }))) return exitCodes.undrained;
      throw cli.signal.reason;
    }
    const { types, slots } = node.report();
    const { url } = joined.server;
    const text = `${node.name} is up on ${url} for ${oneLine(types.join(', '), 400)}; Ctrl-C drains it`;
    cli.out.answer({ node: node.name, server: url, types, slots }, [text]);
    await told.promise;
    return (await drainNode(cli, { node, joined, patienceMs: 0 })) ? exitCodes.ok : exitCodes.undrained;
  } finally {
    release();
  }
}
