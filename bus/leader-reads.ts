/**
 * Reads that decide go to the leader of the stream (rule `leader-reads`): a direct read by a replica may miss a write that was acknowledged.
 */
import type { MsgRequest, StoredMsg } from '@nats-io/jetstream';
import type { Bus } from './bus.ts';
import { retryRequest } from './retry.ts';

/** @returns the first message on `subject` at or after `seq`, or null. */
export const nextMessage = (bus: Bus, stream: string, subject: string, seq: number): Promise<StoredMsg | null> =>
  // The server takes both fields together; the client's type knows only one at a time.
  retryRequest(bus, subject, () => bus.jsm.streams.getMessage(stream, { seq, next_by_subj: subject } as unknown as MsgRequest));

export const lastMessage = (bus: Bus, stream: string, subject: string): Promise<StoredMsg | null> =>
  retryRequest(bus, subject, () => bus.jsm.streams.getMessage(stream, { last_by_subj: subject }));
