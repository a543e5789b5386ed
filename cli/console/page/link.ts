/**
 * The page's own connection to the bus. Invariants:
 * - A listener lives until it is taken off, across reconnections and new accesses.
 * - After every connection `fresh` is counted up; whatever was loaded before may have missed events, and is loaded again.
 * - The access is replaced before it expires: the next connection listens before the old one is closed.
 */
import { signal } from '@preact/signals';
import { connectPage, type LinkState, type PageConnection } from '../../../bus/page-connection.ts';
import type { AccessReply } from '../wire.ts';
import { nextAccess, Refused, sign } from './http.ts';
import { loggedOut } from './session.ts';

export const link = signal<'connecting' | LinkState>('connecting');
export const fresh = signal(0);

type Hear = (message: unknown, subject: string) => void;
interface Listener {
  readonly subject: string;
  readonly hear: Hear;
  stop: () => void;
}

const listeners = new Set<Listener>();
let current: PageConnection | null = null;
const first = Promise.withResolvers<void>();
let address: string | null = null;
const retryMs = 1_000;
/** The next access is fetched this long, in ms, before the present one ends. */
const renewBeforeMs = 60_000;
/** A connection that was closed by the server for good is replaced; its last state may come late. */
let generation = 0;

export async function startLink(): Promise<void> {
  await replace(null);
}

/** One reply of one node. Waits for the connection. @throws RefusedRequest, or an error of the connection. */
export async function ask<T>(verb: string, request: object = {}): Promise<T> {
  await first.promise;
  return current!.ask<T>(verb, request);
}

export async function askAll<T>(verb: string, ms = 900): Promise<T[]> {
  await first.promise;
  return current!.askAll<T>(verb, {}, ms);
}

/** @param subject without the namespace, as in `tasks.k3xq.*.status`. @returns a function that takes the listener off. */
export function listen(subject: string, hear: Hear): () => void {
  const listener: Listener = { subject, hear, stop: () => {} };
  listeners.add(listener);
  if (current) listener.stop = current.listen(subject, hear);
  return () => {
    listeners.delete(listener);
    listener.stop();
  };
}

async function replace(before: AccessReply | null): Promise<void> {
  const mine = ++generation;
  let access: AccessReply;
  let next: PageConnection;
  try {
    access = await nextAccess(before?.member ?? null);
    // The policy of this document allows one address; after a move of the server the document is loaded again.
    if (address !== null && access.url !== address) return location.reload();
    address = access.url;
    const onState = (state: LinkState) => {
      if (mine === generation) changed(state, access);
    };
    next = await connectPage({ access, sign, onState });
  } catch (cause) {
    if (cause instanceof Refused && cause.code === 'console-login') return loggedOut(cause);
    if (mine === generation) setTimeout(() => void replace(before), retryMs);
    if (current === null) link.value = 'away';
    return;
  }
  const old = current;
  current = next;
  for (const listener of listeners) {
    listener.stop();
    listener.stop = next.listen(listener.subject, listener.hear);
  }
  await old?.close().catch(() => {});
  link.value = 'connected';
  fresh.value++;
  first.resolve();
  if (access.expiresAt === null) return;
  const leftMs = Date.parse(access.expiresAt) - Date.now() - renewBeforeMs;
  setTimeout(() => mine === generation && void replace(access), Math.max(1_000, leftMs));
}

function changed(state: LinkState, access: AccessReply): void {
  // Before the first connection is in place, `replace` says what comes of it.
  if (current === null) return;
  link.value = state;
  if (state === 'connected') fresh.value++;
  // The server has taken the access back, or was started without it.
  if (state === 'closed') {
    link.value = 'away';
    void replace(access);
  }
}
