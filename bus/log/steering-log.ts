/** Reads the steering subject of a task, which decides steers and their order. A core-NATS copy is only a nudge to read it. */
import type { StoredMsg } from '@nats-io/jetstream';
import type { MsgHdrs } from '@nats-io/nats-core';
import { z } from 'zod';
import type { Bus } from '../bus.ts';
import { lastMessage, nextMessage } from '../leader-reads.ts';
import { maxSteerChars, OnSteering } from '../messages.ts';
import { describe, quoted } from '../parse-message.ts';
import { pageAfter } from '../state/batch-get.ts';
import { rootOf, type TaskId } from '../task-id.ts';
import type { StoredSteer } from '../team/team.ts';
import { traceHeader } from '../trace-context.ts';

/**
 * One message on the steering subject. If it is malformed, or in a crew with roles not signed by a member who may send it,
 * `message` is null and `problem` says why. `by` is the member who has signed it.
 */
export type Steering = {
  readonly steer: string;
  readonly seq: number;
  /** When the log stored it, in ms. */
  readonly at: number;
  readonly by?: string;
  /** The trace context that it carries. */
  readonly traceparent?: string;
} & ({ readonly message: OnSteering; readonly problem: null } | { readonly message: null; readonly problem: string });

/** The next unread steers, in stream order. `isLast`: the log had no more of them. */
export interface SteeringPage {
  readonly steers: readonly Steering[];
  readonly isLast: boolean;
}

/** Most steers that are read, and handled by one commit, at a time. */
const mostInPage = 500;
/** A page ends with the message that reaches this many bytes. */
const mostBytesInPage = 2 ** 20;
/** As many messages are read one by one, before the rest of a page is read by one request. */
const fewest = 4;

/**
 * Reads a page of the messages on a task's steering subject after `cursor`. Its end is told by the leader; messages before it may
 * come from a replica, which has them in the same order or not yet.
 * Rule `pages` (docs/task-protocol.md).
 */
export async function readSteering(bus: Bus, id: TaskId, cursor: number): Promise<SteeringPage> {
  const { logStream } = bus.subjects;
  const subject = bus.subjects.of(id, 'steering');
  const steers: Steering[] = [];
  let [read, bytes] = [cursor, 0];
  const take = (message: StoredMsg) => {
    steers.push(verifiedSteering(bus, message));
    read = message.seq;
    bytes += message.data.length;
  };
  const last = await lastInTree(bus, id);
  while (read < last) {
    const room = { count: mostInPage - steers.length, bytes: mostBytesInPage - bytes };
    if (room.count <= 0 || room.bytes <= 0) return { steers, isLast: false };
    const next = await nextMessage(bus, logStream, subject, read + 1);
    if (!next) break;
    take(next);
    if (steers.length < fewest || read >= last) continue;
    const rest = { count: room.count - 1, bytes: room.bytes - next.data.length };
    if (rest.count > 0 && rest.bytes > 0)
      for (const message of await pageAfter(bus, logStream, subject, read, rest)) take(message);
  }
  return { steers, isLast: true };
}

/** Whether the log has a steer to the task after `cursor`. */
export async function hasUnreadSteers(bus: Bus, id: TaskId, cursor: number): Promise<boolean> {
  if ((await lastInTree(bus, id)) <= cursor) return false;
  return (await nextMessage(bus, bus.subjects.logStream, bus.subjects.of(id, 'steering'), cursor + 1)) !== null;
}

/** Last sequence of any steer in the tree. Sub-tasks of one goal share this read, and usually it shows no new steer. */
const lastInTree = (bus: Bus, id: TaskId): Promise<number> => {
  const subject = bus.subjects.every('steering', rootOf(id));
  return bus.tick.share(subject, async () => (await lastMessage(bus, bus.subjects.logStream, subject))?.seq ?? 0);
};

const maxBytes = maxSteerChars * 4;

/** `seq:<n>` names message n if it has no id. A sender that chose the name of a later message would get that one dropped. */
export const isSequenceName = (steer: string): boolean => steer.startsWith('seq:');

const utf8 = new TextDecoder('utf-8', { fatal: true });
const Named = z.object({ id: z.string().min(1).max(128) });
type OnLog = Pick<StoredMsg, 'data' | 'seq' | 'time'> & { readonly header?: MsgHdrs | undefined };

/**
 * Parses a steer, and in a crew with roles verifies who has sent it (rule `signed-steers`). One that does not count is named by
 * its sequence: a stranger must not take the id of a message that is still to come. The outcome of a lost call has its own proof.
 */
export function verifiedSteering({ team, subjects }: Bus, stored: StoredSteer & { readonly seq: number }): Steering {
  const steering = parseSteering(stored);
  const type = steering.message?.type;
  if (!team || type === 'outcome') return steering;
  const sender = team.senderOf(stored, subjects.parse(stored.subject)?.id ?? null, type);
  if (sender.problem === null) return { ...steering, by: sender.by };
  const { seq, at } = steering;
  return { steer: `seq:${seq}`, seq, at, message: null, problem: sender.problem };
}

/** Parses a steer. A payload that starts with `{` must be a typed JSON message; any other one is a correction in plain text. */
export function parseSteering({ data, seq, time, header }: OnLog): Steering {
  const at = time.getTime();
  const msgId = header?.get('Nats-Msg-Id');
  const fallback = msgId && msgId.length <= 128 && !isSequenceName(msgId) ? msgId : `seq:${seq}`;
  const carried = header?.get(traceHeader);
  const traced = carried ? { traceparent: carried } : {};
  const bad = (problem: string, steer = fallback): Steering => ({ steer, seq, at, ...traced, message: null, problem });
  if (data.length > maxBytes) return bad(`the message has ${data.length} bytes; at most ${maxBytes} are allowed`);
  let text: string;
  try {
    text = utf8.decode(data).trim();
  } catch {
    return bad('the message is not UTF-8 text');
  }
  if (text === '') return bad('the message is empty');
  let value: unknown = { type: 'steer', text };
  if (text.startsWith('{')) {
    try {
      value = JSON.parse(text);
    } catch (cause) {
      return bad(`the message starts like JSON but cannot be parsed: ${quoted((cause as Error).message)}`);
    }
  }
  const parsed = OnSteering.safeParse(value);
  const named = Named.safeParse(value);
  if (named.success && isSequenceName(named.data.id))
    return bad('id: names that begin with seq: are reserved for messages without an id');
  const steer = named.success ? named.data.id : fallback;
  return parsed.success ? { steer, seq, at, ...traced, message: parsed.data, problem: null } : bad(describe(parsed.error), steer);
}
