/**
 * A lock between processes, held in a file `<path>.<generation>` that names its holder.
 *
 * Why generations: a lock must be taken over when its holder has died. "Delete the stale file, create mine" lets two processes do
 * so at once, and one deletes the other's fresh file. Instead, every takeover creates a new file:
 * - A process that finds the top generation released or its holder dead creates the next generation exclusively. The file system
 *   lets one process win.
 * - The top generation is only ever replaced by a higher one, so a slow process cannot revive an old number: after it has created
 * a
 *   generation it lists them again, and removes its own if a higher one exists.
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
  /** Ends the wait for the lock. It does not stop `fn`, which must watch the signal itself. */
  readonly signal?: AbortSignal | undefined;
  /** Called once if the lock is held by another process or call. */
  readonly onWait?: () => void;
}

const firstWaitMs = 5;
const longestWaitMs = 100;
let serial = 0;

/**
 * Runs `fn` while this call alone holds the lock at `path`, among all processes and all calls in this process. A lock whose
 * holder has died is free. The lock is not re-entrant. Holders must see each other's process ids, so `path` must not be shared
 * between machines or containers.
 * @throws CoxError `read-only`, `no-space`, `storage-failed`; or the signal's reason.
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

/** @returns The generation that this call now holds, or null if the lock is already held. */
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

/** Empties the file, which marks the lock as free. Emptying works on a full disk and, unlike deleting, keeps the generation. */
function release(path: string, generation: number): void {
  try {
    truncateSync(`${path}.${generation}`);
  } catch {
    // The folder was removed meanwhile, and the lock with it. The outcome of `fn` matters more than this error.
  }
}

const holderNow = (): Holder => ({ pid: process.pid, start: startOf(process.pid) });

/** Writes a draft and then links it, so that no process reads a half-written file. Returns false if `file` exists. */
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
    // A higher generation has replaced the file meanwhile: another process was quicker.
    if (codeOf(error) === 'ENOENT') return true;
    throw error;
  }
  const holder = parse(text);
  return holder !== null && isAlive(holder.pid, holder.start);
}

/** Returns null for an empty file (released) and for damaged content (after a power cut). */
function parse(text: string): Holder | null {
  try {
    return Holder.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** The generations on disk, in ascending order. */
function generationsOf(path: string): number[] {
  const prefix = `${basename(path)}.`;
  return readdirSync(dirname(path))
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
    .filter((rest) => /^[1-9][0-9]*$/.test(rest))
    .map(Number)
    .sort((a, b) => a - b);
}
