import { setTimeout as sleep } from 'node:timers/promises';

/** Waits `ms` milliseconds, or rejects with an AbortError as soon as `signal` fires. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> => sleep(ms, undefined, signal ? { signal } : {});

/** Resolves with null if `coming` takes longer than `ms`. */
export async function within<T>(ms: number, coming: Promise<T>): Promise<T | null> {
  const late = new AbortController();
  const tooLate = pause(ms, late.signal).then(
    () => null,
    () => null,
  );
  return Promise.race([coming, tooLate]).finally(() => late.abort());
}
