/** The data of a crew that the server keeps: its streams with their limits, the queues of task types, and the notes. */
import { z } from 'zod';
import type { Bus } from '../bus.ts';
import { retryRequest } from '../retry.ts';
import { Memory } from '../shared-memory.ts';
import { consumerNames } from '../streams.ts';
import { infoIfThere } from './stream-limits.ts';

export const Room = z.object({
  streams: z.array(
    z.object({
      name: z.string().describe('`log`, `queue`, `state`, `artifacts`, `timers`, `talk`, `dead` or `memory`.'),
      messages: z.number().int(),
      bytes: z.number().int(),
      maxBytes: z.number().int().nullable().describe('Null: it has no limit of its own.'),
    }),
  ),
  queues: z.array(
    z.object({
      type: z.string(),
      waiting: z.number().int().describe('Tickets that no worker has taken.'),
      working: z.number().int().describe('Tickets that a worker has and has not acknowledged.'),
    }),
  ),
  notes: z
    .array(z.object({ key: z.string(), text: z.string(), from: z.string(), at: z.string() }))
    .describe('The newest, at most 10.'),
  server: z.object({
    version: z.string(),
    storedBytes: z.number().int(),
    maxBytes: z.number().int().nullable().describe('Null: it has no limit.'),
  }),
});
export type Room = z.infer<typeof Room>;

/** @param types the task types whose queues are looked at. */
export async function roomOf(bus: Bus, types: readonly string[]): Promise<Room> {
  const { jsm, nc } = bus;
  const [streams, queues, notes, account] = await Promise.all([
    Promise.all(named(bus).map(([name, stream]) => streamRow(bus, name, stream))),
    Promise.all(types.map((type) => queueRow(bus, type))),
    notesOf(bus),
    retryRequest(bus, 'the account', () => jsm.getAccountInfo()),
  ]);
  return {
    streams: streams.flatMap((row) => row ?? []),
    queues: queues.flatMap((row) => row ?? []),
    notes,
    server: { version: nc.info?.version ?? '', storedBytes: account.storage, maxBytes: limitOf(account.limits.max_storage) },
  };
}

const named = ({ subjects }: Bus): [name: string, stream: string][] => [
  ['log', subjects.logStream],
  ['queue', subjects.workStream],
  ['state', `KV_${subjects.stateBucket}`],
  ['artifacts', subjects.artifactStream],
  ['timers', subjects.timerStream],
  ['talk', subjects.talkStream],
  ['dead', subjects.deadStream],
  ['memory', `KV_${subjects.memoryBucket}`],
];

/** The server writes −1 for no limit. */
const limitOf = (bytes: number): number | null => (bytes < 0 ? null : bytes);

async function streamRow(bus: Bus, name: string, stream: string): Promise<Room['streams'][number] | null> {
  const found = await retryRequest(bus, stream, () => infoIfThere(bus, stream));
  return found && { name, messages: found.state.messages, bytes: found.state.bytes, maxBytes: limitOf(found.config.max_bytes) };
}

/** New work and wakes together. A type that nobody has ever worked on has no consumers. */
async function queueRow(bus: Bus, type: string): Promise<Room['queues'][number] | null> {
  const { jsm, subjects } = bus;
  const infos = await Promise.all(
    (['pending', 'wake'] as const).map((queue) =>
      jsm.consumers.info(subjects.workStream, consumerNames.tickets(type, queue)).catch(() => null),
    ),
  );
  const there = infos.flatMap((info) => info ?? []);
  if (there.length === 0) return null;
  const sum = (of: (info: (typeof there)[number]) => number) => there.reduce((total, info) => total + of(info), 0);
  return { type, waiting: sum((info) => info.num_pending), working: sum((info) => info.num_ack_pending) };
}

/** A crew that never kept a note has no bucket, and looking makes none. */
async function notesOf(bus: Bus): Promise<Room['notes']> {
  const there = await retryRequest(bus, 'memory', () => infoIfThere(bus, `KV_${bus.subjects.memoryBucket}`));
  return there ? new Memory(bus).recall('') : [];
}
