/**
 * `status` and `result` as projections of the commits (PROTOCOL line 5). Each status names the sequence of the one before as expected, so
 * that a fenced worker's cannot land; on a mismatch what is there is read and only what is missing is sent.
 */
import { type Bus, lastMessage } from '../bus.ts';
import { Result, Status } from '../messages.ts';
import { parseMessage } from '../parse-message.ts';
import { publish } from '../publish.ts';
import { readState, type StateRecord } from '../state/state-record.ts';

/** Sends what the log lacks. @returns the log sequence of the last status of `record`, to be kept as `statusSeq`. */
export async function flush(bus: Bus, record: StateRecord, signal?: AbortSignal): Promise<number> {
  const { id, outbox, result } = record;
  /** Ours from before a crash, or from a later claim. A stranger can write any number, but none that the state has not reached. */
  const covered = async (there: Status) => {
    const now = await readState(bus, id);
    // What was returned before there was a task tells of no type (docs/adr/0010).
    const types = [record.spec.type, ...outbox.filter(({ commit }) => commit === there.commit).map(({ type }) => type)];
    const isOurs = now && there.id === id && types.includes(there.type) && there.commit <= now.record.commit;
    return isOurs ? outbox.filter(({ commit }) => commit <= there.commit).length : 0;
  };
  const isThere = async (there: Result) => (there.at === result?.at && there.outcome === result.outcome ? 1 : 0);
  const tell = () => project(bus, bus.subjects.of(id, 'status'), outbox, record.statusSeq, parseStatus, covered, signal);
  const tellResult = async () => result && project(bus, bus.subjects.of(id, 'result'), [result], 0, parseResult, isThere, signal);
  const [seq] = await Promise.all([tell(), tellResult()]);
  return seq;
}

async function project<T>(
  bus: Bus,
  subject: string,
  messages: readonly T[],
  expected: number,
  parse: (data: Uint8Array) => T | null,
  /** How many of the messages need not be sent any more, given what stands last on the subject. */
  covered: (there: T) => Promise<number>,
  signal?: AbortSignal,
): Promise<number> {
  let after = expected;
  for (let i = 0; i < messages.length; ) {
    const message = messages[i]!;
    const sent = await publish(bus, subject, JSON.stringify(message), { expect: { lastSubjectSequence: after } }, signal);
    if (sent.ok) {
      after = sent.seq;
      i++;
      continue;
    }
    const last = await lastMessage(bus, bus.subjects.logStream, subject);
    const there = last && parse(last.data);
    if (there) i = Math.max(i, await covered(there));
    after = last?.seq ?? 0;
  }
  return after;
}

export const parseStatus = (data: Uint8Array): Status | null => parseMessage(Status, data);
export const parseResult = (data: Uint8Array): Result | null => parseMessage(Result, data);
