/**
 * Lists things that an operation may leave behind, one line each: resources and open files of this process, its child
 * processes, connections and subscriptions on the server, consumers of every stream, and files in folders.
 */
import { createHook } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, sep } from 'node:path';
import { connect } from '@nats-io/transport-node';
import type { Bus } from '../../bus/bus.ts';
import { account } from '../../bus/embedded/server-config.ts';
import { readRecord, serverPaths } from '../../bus/embedded/server-record.ts';
import { foldersOf } from '../../platform/folders.ts';

/** Timers and whatever else keeps a handle open. Requests and promises end by themselves. */
const resources =
  /^(Timeout|TCPSOCKETWRAP|TCPSERVERWRAP|UDPWRAP|PIPEWRAP|PROCESSWRAP|TTYWRAP|FSEVENTWRAP|STATWATCHER|SIGNALWRAP|WORKER)$/;

/** Watches the resources of this process from its creation on, also those that do not keep the process alive. */
export function watchResources(): { now(): string[]; stop(): void } {
  const open = new Map<number, string>();
  const hook = createHook({
    init(id, type) {
      if (!resources.test(type)) return;
      const from = (new Error().stack ?? '').split('\n').slice(2);
      if (from.some((line) => line.includes('vitest'))) return;
      const ours = from.find((line) => !/node:|node_modules/.test(line)) ?? from.find((line) => line.includes('node_modules'));
      open.set(id, `${type} ${ours?.trim() ?? 'of Node'}`);
    },
    destroy(id) {
      open.delete(id);
    },
  }).enable();
  return { now: () => [...open.values()], stop: () => void hook.disable() };
}

/** Null where the system does not tell. */
export function openFiles(pid: number | 'self' = 'self'): string[] | null {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        // Sockets, pipes and events have a number that is new each time.
        return [`open ${readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/:\[.*/, '')}`];
      } catch {
        return [];
      }
    });
  } catch {
    return null;
  }
}

/** The processes whose parent is this one. Null where the system does not tell. */
export function childProcesses(): string[] | null {
  try {
    return readdirSync('/proc/self/task').flatMap((task) =>
      readFileSync(`/proc/self/task/${task}/children`, 'utf8')
        .split(' ')
        .filter(Boolean)
        .map((pid) => `child ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').slice(0, 80)}`),
    );
  } catch {
    return null;
  }
}

/** Listeners on a signal that a caller keeps and passes to every operation. */
export const listenersOn = (signal: AbortSignal): string[] =>
  getEventListeners(signal, 'abort').map(() => 'listener on a signal');

/** Every file and folder below, except the data of the server. */
export const filesIn = (folder: string, prefix = ''): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(prefix, entry.name);
    if (path.endsWith(join('nats', 'data'))) return [];
    // A lock has another number after each use, and a server that is restarted another process id.
    return [
      `file ${path.replace(/\d+/g, '<n>')}${entry.isDirectory() ? sep : ''}`,
      ...(entry.isDirectory() ? filesIn(join(folder, entry.name), path) : []),
    ];
  });

/** A token that the client makes. A consumer's subscription has another one after each pull. */
export const randomToken = /(?<=\.)[A-Za-z0-9]{20,22}(?=\.|$)/g;

interface Connection {
  readonly name?: string;
  readonly subscriptions_list?: readonly string[];
}

/** Connections to the embedded server and their subscriptions, as its system account sees them. */
export async function connectionsTo(env: NodeJS.ProcessEnv): Promise<string[]> {
  const found = readRecord(serverPaths(foldersOf(env)));
  if (found.kind !== 'record') throw new Error('no embedded server runs');
  const { url, systemUser, systemPassword } = found.record;
  const system = await connect({ servers: url, user: systemUser, pass: systemPassword, reconnect: false });
  try {
    const query = JSON.stringify({ acc: account, limit: 1_024, subscriptions: true });
    const reply = await system.request('$SYS.REQ.SERVER.PING.CONNZ', query, { timeout: 5_000 });
    const { connections } = reply.json<{ data: { connections: readonly Connection[] } }>().data;
    return connections.flatMap(({ name = '', subscriptions_list = [] }) => [
      `connection ${name}`,
      ...subscriptions_list.map((subject) => `subscription of ${name}: ${subject.replaceAll(randomToken, '<random>')}`),
    ]);
  } finally {
    await system.close();
  }
}

/** The consumers of every stream. */
export async function consumersOf({ jsm }: Bus): Promise<string[]> {
  const found: string[] = [];
  for await (const stream of jsm.streams.names())
    for await (const { config } of jsm.consumers.list(stream))
      found.push(
        `consumer of ${stream}: ${config.durable_name ?? `without a name, of ${config.filter_subjects ?? config.filter_subject}`}`,
      );
  return found;
}

/** The lines of `after` that `before` does not have, or has less often. */
export function added(before: readonly string[], after: readonly string[]): string[] {
  const left = [...before];
  return after.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** The processes that have this folder in their arguments or their environment. None where the system does not tell. */
export const processesOf = (folder: string): string[] =>
  (existsSync('/proc') ? readdirSync('/proc') : [])
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      const of = (file: string) => textOf(`/proc/${pid}/${file}`);
      const isOfIt = [of('cmdline'), of('environ')].some((text) => text.includes(folder));
      return isOfIt ? [`process ${of('cmdline').replaceAll('\0', ' ')}`] : [];
    });
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
