/**
 * `status` and `result` as projections of the commits (PROTOCOL line 5). Each status names the sequence of the one before as expected, so
 * that a fenced worker's cannot land; on a mismatch what is there is read and only what is missing is sent.
 */
import type { Bus } from '../bus.ts';
import { lastMessage, nextMessage } from '../leader-reads.ts';
import { Result, Status } from '../messages.ts';
import { parseMessage } from '../parse-message.ts';
import { publish } from '../publish.ts';
import type { StateRecord } from '../state/state-record.ts';

/** Sends what the log lacks. @returns the log sequence of the last status of `record`, to be kept as `statusSeq`. */
export async function flush(bus: Bus, record: StateRecord, signal?: AbortSignal): Promise<number> {
  const { id, outbox, result } = record;
  const tell = () => project(bus, bus.subjects.of(id, 'status'), outbox, record.statusSeq, signal);
  const tellResult = async () => result && project(bus, bus.subjects.of(id, 'result'), [result], 0, signal);
  // Whoever sees the result finds every status: a single one goes right before it, several wait for each other.
  if (outbox.length <= 1) return (await Promise.all([tell(), tellResult()]))[0];
  const seq = await tell();
  await tellResult();
  return seq;
}

/**
 * Whoever flushes a later commit has flushed these before it, in the same words: so what is not found after `expected` is not there. Anybody
 * may write anything to the subject; it stands beside ours, and in the place of none.
 */
async function project(
  bus: Bus,
  subject: string,
  messages: readonly (Status | Result)[],
  expected: number,
  signal?: AbortSignal,
): Promise<number> {
  const texts = messages.map((message) => JSON.stringify(message));
  let after = expected;
  for (let i = 0; i < texts.length; ) {
    const sent = await publish(bus, subject, texts[i]!, { expect: { lastSubjectSequence: after } }, signal);
    if (sent.ok) {
      after = sent.seq;
      i++;
      continue;
    }
    const next = () => nextMessage(bus, bus.subjects.logStream, subject, after + 1);
    let there = await next();
    // What was expected is purged.
    if (!there) after = (await lastMessage(bus, bus.subjects.logStream, subject))?.seq ?? 0;
    for (; there && i < texts.length; there = await next()) {
      after = there.seq;
      if (there.string() === texts[i]) i++;
    }
  }
  return after;
}

export const parseStatus = (data: Uint8Array): Status | null => parseMessage(Status, data);
export const parseResult = (data: Uint8Array): Result | null => parseMessage(Result, data);
