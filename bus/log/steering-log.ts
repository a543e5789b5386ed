/** The steering subject of a task: the truth about what operators said, in which order. A core-NATS copy is only a nudge to read it. */
import type { StoredMsg } from '@nats-io/jetstream';
import type { MsgHdrs } from '@nats-io/nats-core';
import { z } from 'zod';
import type { Bus } from '../bus.ts';
import { lastMessage, nextMessage } from '../leader-reads.ts';
import { maxSteerChars, OnSteering } from '../messages.ts';
import { describe } from '../parse-message.ts';
import { rootOf, type TaskId } from '../task-id.ts';

/** One message as it stands on the log; `message` is null where nothing could be made of it, and `problem` names the field. */
export type Steering =
  | { readonly steer: string; readonly seq: number; readonly message: OnSteering; readonly problem: null }
  | { readonly steer: string; readonly seq: number; readonly message: null; readonly problem: string };

/** Everything on a task's steering subject after `cursor`, in the stream's order. Read from the leader. */
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

/** Sub-tasks of one goal ask this together, and mostly nobody has said anything. */
const lastInTree = (bus: Bus, id: TaskId): Promise<number> => {
  const subject = bus.subjects.every('steering', rootOf(id));
  return bus.tick.share(subject, async () => (await lastMessage(bus, bus.subjects.logStream, subject))?.seq ?? 0);
};

const maxBytes = maxSteerChars * 4;

/** Whoever took the name of a message that is to come would have it dropped as a copy. */
const isReserved = (id: string): boolean => id.startsWith('seq:');

/** A payload that is no JSON object is a correction in plain text; a JSON object must be a typed message. */
export function parseSteering({
  data,
  seq,
  header,
}: Pick<StoredMsg, 'data' | 'seq'> & { header?: MsgHdrs | undefined }): Steering {
  const msgId = header?.get('Nats-Msg-Id');
  const fallback = msgId && msgId.length <= 128 && !isReserved(msgId) ? msgId : `seq:${seq}`;
  const bad = (problem: string, steer = fallback): Steering => ({ steer, seq, message: null, problem });
  if (data.length > maxBytes) return bad(`the message has ${data.length} bytes, ${maxBytes} are allowed`);
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
      return bad(`it starts like JSON and is none: ${(cause as Error).message}`);
    }
  }
  const parsed = OnSteering.safeParse(value);
  const named = z.object({ id: z.string().min(1).max(128) }).safeParse(value);
  if (named.success && isReserved(named.data.id)) return bad('id: what begins with seq: names messages without an id');
  const steer = named.success ? named.data.id : fallback;
  return parsed.success ? { steer, seq, message: parsed.data, problem: null } : bad(describe(parsed.error), steer);
}
