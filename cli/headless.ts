/**
 * A node without a prompt: `up` and `worker`. The first signal drains it and says what it still holds, a second one stops it at once; tasks
 * stay with the crew either way. Stopping at once is what a crash is: other nodes take over what was held, from its last commit.
 */
import { z } from 'zod';
import type { Joined } from '../actors/join.ts';
import type { HeldTask } from '../bus/messages.ts';
import { foldersOf } from '../platform/folders.ts';
import type { Cli, Run } from './cli.ts';
import { usageError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { type HostedNode, hostNode, typesOf } from './host.ts';
import { count, list, parseOptions } from './parse-options.ts';
import { heldText } from './render/nodes.ts';
import { readRoster } from './roster.ts';
import { withCrew } from './session.ts';

const Shape = z.object({ types: list.optional(), slots: count(1, 10_000).optional() });
/** How often a node that drains says what it waits for. */
const remindMs = 5_000;

/** @param start Whether a server is started where none runs: a whole node does, a worker joins what is there. */
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
  throw usageError(`${what} by the roster ${source.file}.`, `There are: ${known.join(', ')}.`, 'unknown-type');
}

async function work(cli: Cli, joined: Joined, node: HostedNode): Promise<number> {
  const [draining, stopping] = [Promise.withResolvers<'drain'>(), Promise.withResolvers<'stop'>()];
  let heard = 0;
  const release = cli.onSignal(() => (heard++ === 0 ? draining.resolve('drain') : stopping.resolve('stop')));
  try {
    const { types, slots } = node.report();
    const { url } = joined.server;
    const text = `${node.name} is up on ${url} for ${types.join(', ')}; Ctrl-C drains it`;
    cli.out.answer({ node: node.name, server: url, types, slots }, text);
    await draining.promise;
    const reminder = remindOf(cli, node, joined);
    try {
      const how = await Promise.race([node.stop(), stopping.promise]);
      if (how !== 'stop') return exitCodes.ok;
    } finally {
      clearInterval(reminder);
    }
    const held = node.holding();
    cli.out.note(held.length > 0 ? `Stopped at once. Taken over by other nodes: ${names(held, joined)}` : 'Stopped at once.');
    await joined.abandon();
    return exitCodes.undrained;
  } finally {
    release();
    if (heard < 2) await node.stop();
  }
}

const again = 'Again to stop at once.';
const names = (held: readonly HeldTask[], { bus }: Joined): string => heldText(held, bus.now());

function remindOf(cli: Cli, node: HostedNode, joined: Joined): NodeJS.Timeout {
  const held = node.holding();
  const what = held.length > 0 ? ` What it holds goes back at its next step: ${names(held, joined)}.` : '';
  cli.out.note(`Draining.${what} ${again}`);
  return setInterval(() => {
    const left = node.holding();
    if (left.length > 0) cli.out.note(`Still held: ${names(left, joined)}. ${again}`);
  }, remindMs);
}
