/**
 * Publishes `status` and `result` as projections of the commits (rule `flush`). Each status names the sequence of the status
 * before it as expected, so the log refuses the statuses of a fenced worker. After a conflict the log is read, and only missing
 * statuses are sent.
 * Rule `exact-subject` (docs/task-protocol.md).
 */
import type { Bus } from '../bus.ts';
import { lastMessage, nextMessage } from '../leader-reads.ts';
import { Result, Status } from '../messages.ts';
import { parseMessage } from '../parse-message.ts';
import { maxPayload, publish } from '../publish.ts';
import type { StateRecord } from '../state/state-record.ts';
import { fittedJson } from './fitted.ts';

/**
 * Sends the statuses in the outbox, and the result, unless the log has them.
 * @param inOrder the result goes out after the last status. For a task that no ticket brings back after a crash.
 * @returns the log sequence of the last status of `record`, to be kept as `statusSeq`.
 */
export async function flush(bus: Bus, record: StateRecord, signal?: AbortSignal, inOrder = false): Promise<number> {
  const { id, outbox, result } = record;
  const tell = () => project(bus, bus.subjects.of(id, 'status'), outbox, record.statusSeq, signal);
  const tellResult = async () => result && project(bus, bus.subjects.of(id, 'result'), [result], 0, signal);
  // A reader that sees the result must find every status. A single status goes out just before it; several go out first.
  if (outbox.length <= 1 && !inOrder) return (await Promise.all([tell(), tellResult()]))[0];
  const seq = await tell();
  await tellResult();
  return seq;
}

/**
 * A process that flushes a later commit has flushed these messages before, word for word. So a message that is not found after
 * `expected` is not on the log. A message that a stranger wrote on the subject is skipped.
 */
async function project(
  bus: Bus,
  subject: string,
  messages: readonly (Status | Result)[],
  expected: number,
  signal?: AbortSignal,
): Promise<number> {
  const texts = messages.map((message) => fittedJson(message, maxPayload(bus)));
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
    // The expected message was purged: go on after the last one.
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
