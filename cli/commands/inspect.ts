/** `cox inspect`: tells what the machines of tasks do, and from the log what they did before, to people or to inspectors. */
import { once } from 'node:events';
import { z } from 'zod';
import type { CrewSession } from '../../actors/node/join.ts';
import { inspect } from '../../bus/inspect/inspect.ts';
import type { Inspected } from '../../bus/inspect/inspection-messages.ts';
import type { TaskId } from '../../bus/task-id.ts';
import { codeOf } from '../../platform/errors.ts';
import type { Cli, Run } from '../cli.ts';
import { usageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Bridge, BridgeLinks } from '../inspect/bridge.ts';
import { pastOf, tasksOfPast } from '../inspect/past.ts';
import { count, parseOptions } from '../parse-options.ts';
import { inspectedLines, stateText } from '../render/inspected.ts';
import { findTask, withCrew } from '../session.ts';

const Shape = z.object({
  bridge: z.literal(true).optional(),
  port: count(0, 65_535).optional(),
  origin: z.string().optional(),
  stately: z.union([z.literal(true), z.string()]).optional(),
  effects: z.literal(true).optional(),
  past: z.boolean().default(true),
});
type Chosen = z.infer<typeof Shape>;

export const run: Run = async (cli, [ref], options) => {
  const chosen = parseOptions(Shape, options);
  const isBridge = chosen.bridge === true;
  if (!isBridge && (chosen.port !== undefined || chosen.origin !== undefined || chosen.stately !== undefined))
    throw usageError('--port, --origin and --stately go with --bridge.', 'As in: cox inspect k3xq --bridge --stately.');
  return withCrew(cli, { start: 'if stored' }, async (joined) => {
    const id = ref === undefined ? null : await findTask(joined.crew, ref);
    const bridge = isBridge ? await openBridge(cli, chosen) : null;
    try {
      await tellAll(cli, joined, { id, bridge, chosen });
    } finally {
      await bridge?.stop();
    }
    cli.signal.throwIfAborted();
    return exitCodes.ok;
  });
};

interface Telling {
  readonly id: TaskId | null;
  readonly bridge: Bridge | null;
  readonly chosen: Chosen;
}

async function tellAll(cli: Cli, joined: CrewSession, { id, bridge, chosen }: Telling): Promise<void> {
  const over = new AbortController();
  const signal = AbortSignal.any([cli.signal, over.signal]);
  const live = inspect(joined.bus, id ?? '*', signal);
  // From now on nothing is missed; what comes meanwhile waits.
  let next = live.next();
  const print = printer(cli);
  if (chosen.past) await tellPast(cli, joined, id, (message) => (bridge ? bridge.remember(message) : print(message)), signal);
  if (bridge) showLinks(cli, bridge.links, 'first');
  // With a bridge one goes on looking at a task that has ended.
  if (id !== null && !bridge) {
    const ended = joined.crew.awaitResult(id, signal);
    void ended.then(() => over.abort()).catch(() => {});
  }
  for (; ; next = live.next()) {
    const { value: message, done } = await next;
    if (done || !message) return;
    if (message.actor !== undefined && !chosen.effects) continue;
    if (bridge) bridge.push(message);
    else await print(message);
  }
}

async function tellPast(
  cli: Cli,
  joined: CrewSession,
  id: TaskId | null,
  tell: (message: Inspected) => Promise<void> | void,
  signal: AbortSignal,
): Promise<void> {
  const { tasks, leftOut } = await tasksOfPast(joined, id);
  if (leftOut > 0) cli.out.note(`Of ${leftOut} earlier tasks the past is not read; they are told of while they run.`);
  for (const task of tasks) {
    if (signal.aborted) return;
    for (const message of await pastOf(joined, task)) await tell(message);
  }
}

/** Prints messages one after another, and waits for a reader that is slow. */
function printer(cli: Cli): (message: Inspected) => Promise<void> {
  const { out } = cli;
  const before = new Map<TaskId, string>();
  return async (message) => {
    const lines = inspectedLines(message, before.get(message.task), out.paint.stdout);
    if (message.type !== '@xstate.event' && message.actor === undefined) before.set(message.task, stateText(message));
    if (out.json || lines.length > 0) out.answer(message, lines);
    if (out.stdout.writableNeedDrain) await once(out.stdout, 'drain', { signal: cli.signal }).catch(() => {});
  };
}

async function openBridge(cli: Cli, { port = 0, origin, stately }: Chosen): Promise<Bridge> {
  const { Bridge } = await import('../inspect/bridge.ts');
  const inspector =
    stately === undefined ? null : httpAddress(stately === true ? 'https://stately.ai/inspect' : stately, '--stately');
  const origins = (origin ?? '')
    .split(',')
    .flatMap((each) => (each.trim() === '' ? [] : [httpAddress(each.trim(), '--origin').origin]));
  try {
    return await Bridge.open({ port, origins, inspector, onLinks: (links) => showLinks(cli, links, 'next') });
  } catch (cause) {
    if (codeOf(cause) !== 'EADDRINUSE' && codeOf(cause) !== 'EACCES') throw cause;
    throw usageError(`Port ${port} cannot be used.`, 'Name another with --port, or leave it out.', 'bad-port');
  }
}

function httpAddress(text: string, option: string): URL {
  const url = URL.parse(text);
  if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return url;
  throw usageError(`${option} takes an address that begins with http:// or https://.`, 'As in: --origin http://localhost:5173');
}

/** Each link opens one inspector. */
function showLinks(cli: Cli, links: BridgeLinks, which: 'first' | 'next'): void {
  const lines = [
    ...(links.page ? [`Stately Inspector: ${links.page}`] : []),
    `createWebSocketReceiver({ server: '${links.server}' })`,
  ];
  if (which === 'next') {
    cli.out.note(['Attached. The next inspector takes another link:', ...lines]);
    if (cli.out.json) cli.out.answer({ bridge: links }, []);
    return;
  }
  cli.out.answer({ bridge: links }, lines);
  cli.out.note(cli.out.paint.stderr.dim('Each link works once. Ctrl-C ends the bridge.'));
}
