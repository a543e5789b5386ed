/** The changes on the roster page that are not written yet, in the words of `cox roster edit`. */
import { computed, signal } from '@preact/signals';
import type { RosterEditReply } from '../../wire.ts';
import { editRoster, Refused } from '../http.ts';
import { say } from '../say.ts';
import { line } from '../text.ts';

/** The value of each path, as YAML; empty: the key goes. */
export const pending = signal<ReadonlyMap<string, string>>(new Map());
export const pendingCount = computed(() => pending.value.size);
export const shown = signal<RosterEditReply | null>(null);
export const problem = signal<string | null>(null);

const parts = /^[A-Za-z0-9_-]+$/;
/** The path of a knob of a backend. */
export const knob = (backend: string, key: string): string => `backends.${parts.test(backend) ? backend : `"${backend}"`}.${key}`;

/** @param isAsBefore the value is the one of the roster again, so nothing is left to write. */
export function change(path: string, value: string, isAsBefore: boolean): void {
  const next = new Map(pending.value);
  if (isAsBefore) next.delete(path);
  else next.set(path, value);
  pending.value = next;
  shown.value = null;
  problem.value = null;
}

export function discard(): void {
  pending.value = new Map();
  shown.value = null;
  problem.value = null;
}

const edits = (): string[] => [...pending.value].map(([path, value]) => `${path}=${value}`);

/** Fetches the difference that the changes would make. */
export async function show(): Promise<void> {
  try {
    shown.value = await editRoster({ edits: edits() });
    problem.value = null;
  } catch (cause) {
    shown.value = null;
    refused(cause);
  }
}

/** Writes what was shown. */
export async function write(): Promise<boolean> {
  const seen = shown.value;
  if (!seen) return false;
  try {
    const { file, backup } = await editRoster({ edits: edits(), write: seen.hash });
    say(`${line(file, 200)} is written; the old one is ${line(backup ?? '', 200)}.`, 'good');
    discard();
    return true;
  } catch (cause) {
    shown.value = null;
    refused(cause);
    return false;
  }
}

function refused(cause: unknown): void {
  problem.value = cause instanceof Refused ? `${cause.message}. ${cause.hint}` : String(cause);
}
