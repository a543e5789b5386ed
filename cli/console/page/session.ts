/** The session of this page: whether it has one, and until when it may write. Other tabs of this browser share both. */
import { computed, signal } from '@preact/signals';
import type { SessionReply } from '../wire.ts';
import { lock, openSession, Refused, readSession, unlock } from './http.ts';

export type Login =
  | { readonly kind: 'opening' }
  | { readonly kind: 'in'; readonly about: SessionReply }
  | { readonly kind: 'out'; readonly message: string; readonly hint: string };

export const login = signal<Login>({ kind: 'opening' });
/** The time of this machine in ms, once a second. */
export const now = signal(Date.now());
/** For how long this page may still write, in ms; 0: it only reads. */
export const unlockedMs = computed(() => {
  const until = login.value.kind === 'in' ? login.value.about.unlockedUntil : null;
  return until === null ? 0 : Math.max(0, Date.parse(until) - now.value);
});
export const mayWrite = computed(() => unlockedMs.value > 0);

const tabs = new BroadcastChannel('cox-console-session');

/** Uses the token of the link once and takes it out of the address, so that it is in no history. */
export async function startSession(): Promise<void> {
  const token = /^#open=([\w-]+)$/.exec(location.hash)?.[1];
  if (token !== undefined) history.replaceState(null, '', '/');
  setInterval(() => {
    now.value = Date.now();
  }, 1_000);
  tabs.onmessage = () => void refresh();
  // A tab that was asleep has missed what others did.
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && void refresh());
  try {
    if (token !== undefined) await openSession(token);
  } catch (cause) {
    // A link that was used before may be opened again in the browser that has used it.
    if (!(await refresh())) loggedOut(cause);
    return;
  }
  await refresh();
}

/** Reads again what the server knows of this session. */
export async function refresh(): Promise<boolean> {
  return take(readSession);
}

async function take(read: () => Promise<SessionReply>): Promise<boolean> {
  try {
    login.value = { kind: 'in', about: await read() };
    now.value = Date.now();
    return true;
  } catch (cause) {
    if (login.peek().kind === 'in' && cause instanceof Refused && cause.code === 'console-away') return false;
    loggedOut(cause);
    return false;
  }
}

export function loggedOut(cause: unknown): void {
  const { message, hint } = cause instanceof Refused ? cause : { message: String(cause), hint: 'Load the page again.' };
  login.value = { kind: 'out', message, hint };
}

const told = async (read: () => Promise<SessionReply>): Promise<void> => {
  if (await take(read)) tabs.postMessage('changed');
};
export const unlockSession = () => told(unlock);
export const lockSession = () => told(lock);
