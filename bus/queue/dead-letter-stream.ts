/**
 * Dead letters (rule `dead-letter`, docs/adr/0019): what ended in a way that nobody would hear of is kept on a stream of its own until an operator has seen
 * to it.
 * H. That a task has a letter is decided by the commit that ends it; the letter is a projection of that commit, as its result is. Whoever
 *    has the ticket next sends what a crash kept back, and a second copy is refused by the stream.
 */
import { type JsMsg, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { messageOf } from '../../platform/errors.ts';
import type { Bus } from '../bus.ts';
import { isStreamNameInUse } from '../jetstream-errors.ts';
import { lastMessage } from '../leader-reads.ts';
import { DeadLetter, TaskSpec, TicketMessage } from '../messages.ts';
import { describe, parseMessage } from '../parse-message.ts';
import { publish } from '../publish.ts';
import { copies } from '../replicas.ts';
import type { StateRecord } from '../state/state-record.ts';
import { readState } from '../state/state-store.ts';
import { parentOf } from '../task-id.ts';

type TaskLetter = Extract<DeadLetter, { kind: 'task' }>;

/** Names of lost workers that are kept: enough to see whether it was always the same. */
const maxLost = 16;
/** What is shown of a ticket that was none. */
const maxPayloadChars = 4_096;
/** A letter that could not be written is tried again with the next delivery of its ticket. */
const againMs = 5_000;

/** Made with the first letter: a crew that never has one needs no stream for them. */
export async function openDeadStream(bus: Bus): Promise<string> {
  const { jsm, subjects } = bus;
  const name = subjects.deadStream;
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
    // It is there, with as many copies as there were then.
    if (!isStreamNameInUse(cause)) throw cause;
    const { config } = await jsm.streams.info(name);
    const wanted = await copies(bus);
    if (config.num_replicas < wanted) await jsm.streams.update(name, { num_replicas: wanted });
  }
  return name;
}

/** For a claim: who held the task before, without getting any further. Nothing where the last holder did. */
export const lostSoFar = ({ idleClaims, lost = [], node }: StateRecord): Pick<StateRecord, 'lost'> =>
  idleClaims > 0 ? { lost: [...lost, node].slice(-maxLost) } : lost.length > 0 ? { lost: [] } : {};

/** Sends the letter of a task that ended as poison, if it has one. Safe to repeat. */
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
    // The claim that ended it is none of those that were lost.
    claims: Math.max(0, idleClaims - 1),
    nodes: lost,
    spec: { ...spec, instruction },
    parent,
    key: above?.record.plan.find((row) => row.id === id)?.key ?? null,
    retriedAs: null,
    at: result.at,
  };
  await openDeadStream(bus);
  // In the place of what a stranger put there; of a letter that is there already, perhaps with a retry on it, nothing changes.
  for (let last = 0; ; ) {
    const sent = await publish(bus, bus.subjects.letter(id), JSON.stringify(letter), { expect: { lastSubjectSequence: last } });
    if (sent.ok) return;
    const there = await lastMessage(bus, bus.subjects.deadStream, bus.subjects.letter(id));
    const known = there && parseLetter(there.data);
    if (known?.kind === 'task' && whatOf(known) === whatOf(letter)) return;
    last = there?.seq ?? 0;
  }
}

/** What it says of the task; the rest depends on when it was sent, and on whether it is being retried. */
const whatOf = ({ id, spec, why, at }: TaskLetter): string => JSON.stringify([id, TaskSpec.parse(spec), why, at]);

/** A message on a work queue that nobody can make anything of: taken off the queue once its letter is written. Never rejects. */
export async function buryTicket(bus: Bus, message: JsMsg): Promise<void> {
  const { subject, seq, data } = message;
  try {
    const text = new TextDecoder().decode(data);
    const letter: DeadLetter = {
      kind: 'ticket',
      id: `ticket-${seq}`,
      type: subject.split('.').at(-2) ?? '',
      why: whyNoTicket(text),
      payload: text.slice(0, maxPayloadChars),
      bytes: data.length,
      at: message.time.toISOString(),
    };
    await openDeadStream(bus);
    // Without an expectation: one that is written twice takes its own place.
    await publish(bus, bus.subjects.letter(letter.id), JSON.stringify(letter), { msgID: `${bus.subjects.workStream}:${seq}` });
    bus.log.warn({ subject, seq, why: letter.why }, 'not a ticket: it is among the dead letters');
    message.term('not a ticket');
  } catch (err) {
    if (bus.nc.isClosed()) return;
    bus.log.error({ err, subject, seq }, 'not a ticket, and its dead letter could not be written');
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

/** Null for what somebody else has put there. */
export const parseLetter = (data: Uint8Array): DeadLetter | null => parseMessage(DeadLetter, data);
