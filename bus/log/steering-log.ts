/** Reads the steering subject of a task, which decides steers and their order. A core-NATS copy is only a nudge to read it. */
import type { StoredMsg } from '@nats-io/jetstream';
import type { MsgHdrs } from '@nats-io/nats-core';
import { z } from 'zod';
import type { Bus } from '../bus.ts';
import { lastMessage, nextMessage } from '../leader-reads.ts';
import { maxSteerChars, OnSteering } from '../messages.ts';
import { describe } from '../parse-message.ts';
import { rootOf, type TaskId } from '../task-id.ts';

/** One message on the steering subject. If it is malformed, `message` is null and `problem` says why. */
export type Steering =
  | { readonly steer: string; readonly seq: number; readonly message: OnSteering; readonly problem: null }
  | { readonly steer: string; readonly seq: number; readonly message: null; readonly problem: string };

/** Reads all messages on a task's steering subject after `cursor`, in stream order, from the leader. */
export async function readSteering(bus: Bus, id: TaskId, cursor: number): Promise<Steering[]> {
  const found: Steering[] = [];
  const last = await lastInTree(bus, id);
  for (let seq = cursor + 1; seq <= last; ) {
    const message = await nextMessage(bus, bus.subjects.logStream, bus.subjects.of(id, 'steering'), seq);
    if (!message) break;
    found.push(parseSteering(message));
    seq = message.seq + 1;
  }
  return found;
}

/** Last sequence of any steer in the tree. Sub-tasks of one goal share this read, and usually it shows no new steer. */
const lastInTree = (bus: Bus, id: TaskId): Promise<number> => {
  const subject = bus.subjects.every('steering', rootOf(id));
  return bus.tick.share(subject, async () => (await lastMessage(bus, bus.subjects.logStream, subject))?.seq ?? 0);
};

const maxBytes = maxSteerChars * 4;

/** `seq:<n>` names message n if it has no id. A sender that chose the name of a later message would get that one dropped. */
const isReserved = (id: string): boolean => id.startsWith('seq:');

/** Parses a steer. A payload that starts with `{` must be a typed JSON message; any other one is a correction in plain text. */
export function parseSteering({
  data,
  seq,
  header,
}: Pick<StoredMsg, 'data' | 'seq'> & { header?: MsgHdrs | undefined }): Steering {
  const msgId = header?.get('Nats-Msg-Id');
  const fallback = msgId && msgId.length <= 128 && !isReserved(msgId) ? msgId : `seq:${seq}`;
  const bad = (problem: string, steer = fallback): Steering => ({ steer, seq, message: null, problem });
  if (data.length > maxBytes) return bad(`the message has ${data.length} bytes; at most ${maxBytes} are allowed`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(data).trim();
  } catch {
    return bad('the message is not UTF-8 text');
  }
  if (text === '') return bad('the message is empty');
  let value: unknown = { type: 'steer', text };
  if (text.startsWith('{')) {
    try {
      value = JSON.parse(text);
    } catch (cause) {
      return bad(`the message starts like JSON but cannot be parsed: ${(cause as Error).message}`);
    }
  }
  const parsed = OnSteering.safeParse(value);
  const named = z.object({ id: z.string().min(1).max(128) }).safeParse(value);
  if (named.success && isReserved(named.data.id))
    return bad('id: names that begin with seq: are reserved for messages without an id');
  const steer = named.success ? named.data.id : fallback;
  return parsed.success ? { steer, seq, message: parsed.data, problem: null } : bad(describe(parsed.error), steer);
}
