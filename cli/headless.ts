/** A node without a prompt, for `up` and `worker`. The first signal drains it, a second one stops it at once; no task is lost. */
import { z } from 'zod';
import type { CrewSession } from '../actors/node/join.ts';
import { foldersOf } from '../platform/folders.ts';
import type { Cli, Run } from './cli.ts';
import { consoleLines } from './console/console-lines.ts';
import type { OpenConsole } from './console/open-console.ts';
import { drainNode } from './drain.ts';
import { usageError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';
import { type HostedNode, hostNode, typesOf } from './hosted-node.ts';
import { type MetricsPlace, type MetricsServer, metricsPlace, serveMetrics } from './metrics-server.ts';
import { count, list, parseOptions } from './parse-options.ts';
import { oneLine } from './render/printable.ts';
import { readRoster, rosterSource } from './roster.ts';
import { withCrew } from './session.ts';

const Shape = z.object({
  types: list.optional(),
  slots: count(1, 10_000).optional(),
  console: z.literal(true).optional(),
  port: count(0, 65_535).default(0),
  websocket: z.string().optional(),
  credentials: z.string().optional(),
  // Without an address the option is `true`.
  metrics: z.union([z.literal(true).transform(() => ''), z.string()]).optional(),
});
type Asked = z.infer<typeof Shape>;

/** @param start Whether to start a server if none runs. `up` does; `worker` only joins a running one. */
export const headless =
  ({ start }: { start: boolean }): Run =>
  async (cli, _args, options) => {
    const asked = parseOptions(Shape, options);
    const { types, slots, metrics } = asked;
    const place = metrics === undefined ? null : metricsPlace(metrics);
    if (types) await checkTypes(cli, types);
    return withCrew(cli, { start }, async (joined) => {
      const { progressBar } = await import('../platform/progress.ts');
      const { onProgress } = progressBar(cli.out.stderr);
      const note = (text: string) => cli.out.note(text);
      // Both open before the node takes a task, so that one that cannot open leaves nothing behind.
      const figures: { node: HostedNode | null } = { node: null };
      const server = place && (await metricsOf(cli, place, () => figures.node?.metrics() ?? ''));
      let opened: OpenConsole | null = null;
      try {
        opened = await consoleOf(cli, joined, asked);
        const node = await hostNode(cli, joined, { types, slots, onProgress, note, metrics: server !== null });
        figures.node = node;
        return await work(cli, joined, node, { opened, metricsUrl: server?.url ?? null });
      } finally {
        await Promise.all([opened?.close(), server?.stop()]);
      }
    });
  };

async function consoleOf(cli: Cli, joined: CrewSession, { console, ...options }: Asked): Promise<OpenConsole | null> {
  if (!console) return null;
  const { openConsole } = await import('./console/open-console.ts');
  const roster = () => rosterSource(cli, joined.folders);
  return openConsole(joined, { ...options, open: false, cwd: cli.cwd, roster, note: (text) => cli.out.note(text) });
}

async function metricsOf(cli: Cli, place: MetricsPlace, text: () => string): Promise<MetricsServer> {
  const { expositionType } = await import('../actors/tracing/exposition.ts');
  return serveMetrics(place, { text, type: expositionType, token: cli.env.COX_METRICS_TOKEN?.trim() || null });
}

async function checkTypes(cli: Cli, types: readonly string[]): Promise<void> {
  const { roster, source } = await readRoster(cli, foldersOf(cli.env));
  const known = typesOf(roster);
  const unknown = types.filter((type) => !known.includes(type));
  if (unknown.length === 0 && types.length > 0) return;
  const what = unknown.length > 0 ? `There is no kind of task "${unknown.join('", "')}"` : '--types names no kind of task';
  throw usageError(`${what} in the roster ${source.file}.`, `There are: ${known.join(', ')}.`, 'unknown-type');
}

interface Beside {
  readonly opened: OpenConsole | null;
  readonly metricsUrl: string | null;
}

async function work(cli: Cli, joined: CrewSession, node: HostedNode, { opened, metricsUrl }: Beside): Promise<number> {
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
    const beside = {
      ...(opened && { console: { url: opened.url, link: opened.link } }),
      ...(metricsUrl && { metrics: metricsUrl }),
    };
    const more = [...(opened ? consoleLines(opened) : []), ...(metricsUrl ? [`figures for Prometheus: ${metricsUrl}`] : [])];
    cli.out.answer({ node: node.name, server: url, types, slots, ...beside }, [text, ...more]);
    await told.promise;
    return (await drainNode(cli, { node, joined, patienceMs: 0 })) ? exitCodes.ok : exitCodes.undrained;
  } finally {
    release();
  }
}
