import { setTimeout as sleep } from 'node:timers/promises';

/** Waits `ms` milliseconds, or rejects with an AbortError as soon as `signal` fires. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> => sleep(ms, undefined, signal ? { signal } : {});
