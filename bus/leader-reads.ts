/**
 * Reads that decide something go to the leader of the stream (rule `leader-reads`), because a direct read from a replica may miss
 * an acknowledged write.
 */
import type { MsgRequest, StoredMsg } from '@nats-io/jetstream';
import type { Bus } from './bus.ts';
import { retryRequest } from './retry.ts';

/** @returns the first message on `subject` at or after stream sequence `seq`, or null. */
export const nextMessage = (bus: Bus, stream: string, subject: string, seq: number): Promise<StoredMsg | null> =>
  // The server accepts both fields together; the client's type allows only one of them.
  retryRequest(bus, subject, () => bus.jsm.streams.getMessage(stream, { seq, next_by_subj: subject } as unknown as MsgRequest));

/** @returns the last message on `subject`, or null. */
export const lastMessage = (bus: Bus, stream: string, subject: string): Promise<StoredMsg | null> =>
  retryRequest(bus, subject, () => bus.jsm.streams.getMessage(stream, { last_by_subj: subject }));
