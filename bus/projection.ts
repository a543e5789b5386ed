/**
 * `status` and `result` as projections of the commits (PROTOCOL line 5). Each status names the sequence of the one before as expected, so
 * that a fenced worker's cannot land; on a mismatch what is there is read and only what is missing is sent.
 */
import { type Bus, lastMessage } from './bus.ts';
import { Result, Status } from './messages.ts';
import { publish } from './publish.ts';
import type { StateRecord } from './state-record.ts';

/** Sends what the log lacks. @returns the log sequence of the last status of `record`, to be kept as `statusSeq`. */
export async function flush(bus: Bus, record: StateRecord, signal?: AbortSignal): Promise<number> {
  const { id, outbox, result } = record;
  const seq = await project(
    bus,
    bus.subjects.of(id, 'status'),
    outbox,
    record.statusSeq,
    (s) => `${id}:status:${s.epoch}:${s.commit}`,
    parseStatus,
    signal,
  );
  if (result) await project(bus, bus.subjects.of(id, 'result'), [result], 0, () => `${id}:result`, parseResult, signal);
  return seq;
}

async function project<T extends { at: string }>(
  bus: Bus,
  subject: string,
  messages: readonly T[],
  expected: number,
  msgId: (message: T) => string,
  parse: (data: Uint8Array) => T | null,
  signal?: AbortSignal,
): Promise<number> {
  let after = expected;
  for (let i = 0; i < messages.length; ) {
    const message = messages[i]!;
    const sent = await publish(
      bus,
      subject,
      JSON.stringify(message),
      { msgID: msgId(message), expect: { lastSubjectSequence: after } },
      signal,
    );
    if (sent.ok) {
      after = sent.seq;
      i++;
      continue;
    }
    const last = await lastMessage(bus, bus.subjects.logStream, subject);
    const there = last && parse(last.data);
    // Ours from before a crash, or something else: an older one that the record did not know of, or a stranger's bytes.
    const known = there ? messages.findIndex((m) => msgId(m) === msgId(there) && m.at === there.at) : -1;
    if (known >= i) i = known + 1;
    after = last?.seq ?? 0;
  }
  return after;
}

export const parseStatus = (data: Uint8Array): Status | null => parse(Status, data);
export const parseResult = (data: Uint8Array): Result | null => parse(Result, data);

function parse<T>(
  schema: { safeParse(value: unknown): { success: true; data: T } | { success: false } },
  data: Uint8Array,
): T | null {
  try {
    const parsed = schema.safeParse(JSON.parse(new TextDecoder().decode(data)));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
