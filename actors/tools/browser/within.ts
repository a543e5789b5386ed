/** A limit of time for calls that playwright-core lets wait for ever, such as code in a page that never returns. */

/** @throws Error if it takes longer, or if `signal` fires; what it would have returned is dropped. */
export async function withinMs<T>(ms: number, work: Promise<T>, signal?: AbortSignal): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`the page did not answer within ${ms / 1_000} s`)), ms);
  const stop = () => reject(signal!.reason);
  signal?.addEventListener('abort', stop, { once: true });
  late.catch(() => {});
  work.catch(() => {});
  try {
    signal?.throwIfAborted();
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}
