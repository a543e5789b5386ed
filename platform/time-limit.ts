/**
 * Runs `work` with a signal that fires after `ms`, or with `signal`. The timer ends with the work: that of `AbortSignal.timeout`
 * would stay until its time, one for each call.
 */
export async function withTimeLimit<T>(ms: number, work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new DOMException(`it took longer than ${ms} ms`, 'TimeoutError')), ms);
  try {
    return await work(signal ? AbortSignal.any([signal, late.signal]) : late.signal);
  } finally {
    clearTimeout(timer);
  }
}
