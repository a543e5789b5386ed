/**
 * A lock between processes, held in a file `<path>.<generation>` that names its holder.
 *
 * Why generations: a lock whose holder died has to be taken over, and "delete the stale file, create mine" lets two do it at once, one
 * deleting the other's fresh file. Here nothing is taken over in place:
 * - Whoever finds the top generation released or its holder dead creates the next one, exclusively; the file system lets one win.
 * - The top generation is never deleted, only replaced by a higher one, so a slow process cannot bring an old number back to life: after
 *   creating one it looks again, and steps back if there is a higher one.
 */
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { codeOf, storageError } from './errors.ts';
import { isAlive, startOf } from './process-identity.ts';

const Holder = z.object({ pid: z.number().int().positive(), start: z.string().nullable() });
type Holder = z.infer<typeof Holder>;

export interface LockOptions {
  /** Stops the waiting; `fn` watches it itself. */
  readonly signal?: AbortSignal | undefined;
  /** Called once, when another process holds the lock. */
  readonly onWait?: () => void;
}

const firstWaitMs = 5;
const longestWaitMs = 100;
let serial = 0;

/**
 * Runs `fn` while no other process, and no other call in this one, holds the lock at `path`. A lock of a process that has died is free.
 * Not re-entrant. All holders must see each other's process ids: not for a folder shared between machines or containers.
 * @throws CoxError `read-only`, `no-space`, `storage-failed`; the signal's reason.
 */
export async function withLock<T>(path: string, fn: () => Promise<T>, { signal, onWait }: LockOptions = {}): Promise<T> {
  let waitMs = firstWaitMs;
  let generation = acquire(path);
  if (generation === null) onWait?.();
  while (generation === null) {
    signal?.throwIfAborted();
    await delay(waitMs * (0.5 + Math.random()), undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
    waitMs = Math.min(waitMs * 2, longestWaitMs);
    generation = acquire(path);
  }
  try {
    signal?.throwIfAborted();
    return await fn();
  } finally {
    release(path, generation);
  }
}

/** @returns The generation now held, or null when another holds the lock. */
function acquire(path: string): number | null {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const generations = generationsOf(path);
    const top = generations.at(-1) ?? 0;
    if (top > 0 && isHeld(`${path}.${top}`)) return null;
    if (!createExclusively(`${path}.${top + 1}`, holderNow())) return null;
    const seen = generationsOf(path);
    if (seen.at(-1) !== top + 1) {
      rmSync(`${path}.${top + 1}`, { force: true });
      return null;
    }
    for (const old of seen.slice(0, -1)) rmSync(`${path}.${old}`, { force: true });
    return top + 1;
  } catch (error) {
    throw storageError(error, path, 'taking the lock');
  }
}

/** An empty lock is a free one; emptying needs no space on a full disk and, unlike deleting, keeps the generation in place. */
function release(path: string, generation: number): void {
  try {
    truncateSync(`${path}.${generation}`);
  } catch {
    // The folder was removed under us, and the lock with it. What `fn` returned or threw matters more.
  }
}

const holderNow = (): Holder => ({ pid: process.pid, start: startOf(process.pid) });

/** Written first and linked then, so that nobody ever reads half a file. */
function createExclusively(file: string, holder: Holder): boolean {
  const draft = `${file}.${process.pid}-${++serial}.draft`;
  writeFileSync(draft, JSON.stringify(holder), { mode: 0o600 });
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function isHeld(file: string): boolean {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    // Replaced by a higher generation since: somebody else was quicker.
    if (codeOf(error) === 'ENOENT') return true;
    throw error;
  }
  const holder = parse(text);
  return holder !== null && isAlive(holder.pid, holder.start);
}

/** Empty means released; damaged content (a power cut) is no holder either. */
function parse(text: string): Holder | null {
  try {
    return Holder.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Ascending. */
function generationsOf(path: string): number[] {
  const prefix = `${basename(path)}.`;
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .filter((rest) => /^[1-9][0-9]*$/.test(rest))
    .map(Number)
    .sort((a, b) => a - b);
}
