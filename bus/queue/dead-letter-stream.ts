/**
 * Dead letters (rule `dead-letter`, docs/adr/0019): each task that ended as poison, and each message in a work queue that is not
 * a ticket, is kept on a stream of its own until an operator retries or drops it.
 * H. The commit that ends a task decides that it has a letter; the letter is a projection of that commit, as its result is. After
 *    a crash the next worker that gets the ticket sends the letter. The stream refuses a second copy.
 */
import { type JsMsg, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { beginningOf } from '../../platform/cut.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Bus } from '../bus.ts';
import { isStreamNameInUse } from '../jetstream-errors.ts';
import { lastMessage } from '../leader-reads.ts';
import { scanStream } from '../log/stream-scan.ts';
import { DeadLetter, TaskSpec, TicketLetterId, TicketMessage } from '../messages.ts';
import { describe, parseMessage } from '../parse-message.ts';
import { publish } from '../publish.ts';
import { copies } from '../replicas.ts';
import type { StateRecord } from '../state/state-record.ts';
import { readState } from '../state/state-store.ts';
import { isTaskId, parentOf } from '../task-id.ts';
import { doesChores } from '../team/chores.ts';

type TaskLetter = Extract<DeadLetter, { kind: 'task' }>;

/** Most names of lost workers that a record keeps: enough to see whether it was always the same worker. */
const maxLost = 16;
/** Most characters that a letter quotes of a message that is not a ticket. */
const maxPayloadChars = 4_096;
/** Delay in ms before a message that is not a ticket is delivered again because its letter could not be written. */
const againMs = 5_000;

/**
 * Creates the stream if there is none. That happens with the first letter, so a crew without letters has no such stream. Of a crew
 * with roles it is there from the start.
 * @returns its name.
 */
export async function openDeadStream(bus: Bus): Promise<string> {
  const { jsm, subjects } = bus;
  const name = subjects.deadStream;
  if (!doesChores(bus)) return name;
  try {
    await jsm.streams.add({
      name,
      subjects: [subjects.everyLetter()],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      max_msgs_per_subject: 1,
      num_replicas: await copies(bus),
    });
  } catch (cause) {
    // The stream exists, perhaps with fewer replicas than other streams have by now.
    if (!isStreamNameInUse(cause)) throw cause;
    const { config } = await jsm.streams.info(name);
    const wanted = await copies(bus);
    if (config.num_replicas < wanted) await jsm.streams.update(name, { num_replicas: wanted });
  }
  return name;
}

/** The field `lost` for a new claim: adds the last holder if it made no progress, and empties the list if it did. */
export const lostSoFar = ({ idleClaims, lost = [], node }: StateRecord): Pick<StateRecord, 'lost'> =>
  idleClaims > 0 ? { lost: [...lost, node].slice(-maxLost) } : lost.length > 0 ? { lost: [] } : {};

/** Sends the letter of a task that ended as poison; does nothing for any other task. Safe to repeat. */
export async function sendLetter(bus: Bus, record: StateRecord): Promise<void> {
  const { id, spec, instruction, result, deadLetter, idleClaims, lost = [] } = record;
  if (deadLetter !== 'kept' || !result) return;
  const parent = parentOf(id);
  const above = parent === null ? null : await readState(bus, parent);
  const letter: TaskLetter = {
    kind: 'task',
    id,
    type: spec.type,
    why: result.failure?.message ?? result.outcome,
    // The claim that ended the task was not lost.
    claims: Math.max(0, idleClaims - 1),
    nodes: lost,
    spec: { ...spec, instruction },
    parent,
    key: above?.record.plan.find((row) => row.id === id)?.key ?? null,
    retriedAs: null,
    at: result.at,
  };
  await openDeadStream(bus);
  // Replaces a stranger's message in this place. A letter of this task that is there already stays: it may have a retry on it.
  for (let last = 0; ; ) {
    const sent = await publish(bus, bus.subjects.letter(id), JSON.stringify(letter), { expect: { lastSubjectSequence: last } });
    if (sent.ok) return;
    const there = await lastMessage(bus, bus.subjects.deadStream, bus.subjects.letter(id));
    const known = there && parseLetter(there.data);
    if (known?.kind === 'task' && whatOf(known) === whatOf(letter)) return;
    last = there?.seq ?? 0;
  }
}

/** The fields that identify a letter. The others depend on when it was sent, and on whether it is being retried. */
const whatOf = ({ id, spec, why, at }: TaskLetter): string => JSON.stringify([id, TaskSpec.parse(spec), why, at]);

/** Writes a dead letter for a message in a work queue that is not a ticket, then removes it from the queue. Never rejects. */
export async function buryTicket(bus: Bus, message: JsMsg): Promise<void> {
  const { subject, seq, data } = message;
  try {
    const text = new TextDecoder().decode(data);
    const letter: DeadLetter = {
      kind: 'ticket',
      id: `ticket-${seq}`,
      type: subject.split('.').at(-2) ?? '',
      why: whyNoTicket(text),
      payload: beginningOf(text, maxPayloadChars),
      bytes: data.length,
      at: message.time.toISOString(),
    };
    await openDeadStream(bus);
    // No expectation is needed: a second copy of the letter replaces the first.
    await publish(bus, bus.subjects.letter(letter.id), JSON.stringify(letter), { msgID: `${bus.subjects.workStream}:${seq}` });
    bus.log.warn({ subject, seq, why: letter.why }, 'a message in a work queue is not a ticket; it is kept as a dead letter');
    message.term('not a ticket');
  } catch (err) {
    if (bus.nc.isClosed()) return;
    bus.log.error({ err, subject, seq }, 'a message in a work queue is not a ticket, and its dead letter could not be written');
    message.nak(againMs);
  }
}

function whyNoTicket(text: string): string {
  try {
    const { error } = TicketMessage.safeParse(JSON.parse(text));
    return error ? `not a ticket: ${describe(error)}` : 'not a ticket';
  } catch (cause) {
    return `not JSON: ${messageOf(cause)}`;
  }
}

/** Whether an id can be that of a letter, so that it can stand in a subject. */
export const isLetterId = (id: string): boolean => isTaskId(id) || TicketLetterId.safeParse(id).success;

/** A letter with its sequence in the stream. */
export interface Filed {
  readonly letter: DeadLetter;
  readonly seq: number;
}

/** Reads a letter from the leader. */
export async function readLetter(bus: Bus, id: string): Promise<Filed | null> {
  const message = await lastMessage(bus, await openDeadStream(bus), bus.subjects.letter(id));
  const letter = message && parseLetter(message.data);
  return letter?.id === id ? { letter, seq: message!.seq } : null;
}

/** Reads all letters, for a list. A message that is not a letter comes from a stranger and is left alone. */
export const allLetters = (bus: Bus): Promise<readonly DeadLetter[]> => bus.scans.share('dead letters', () => readLetters(bus));

async function readLetters(bus: Bus): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  await scanStream(bus, await openDeadStream(bus), { filter_subjects: [bus.subjects.everyLetter()] }, ({ subject, data }) => {
    const letter = parseLetter(data);
    if (letter && subject === bus.subjects.letter(letter.id)) letters.push(letter);
  });
  return letters;
}

/** @returns null if the message is not a dead letter. */
export const parseLetter = (data: Uint8Array): DeadLetter | null => parseMessage(DeadLetter, data);
