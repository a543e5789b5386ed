/** Downloads the missing rest of a file by HTTP. Fails within seconds if the host cannot be reached. */
import type { Fetching, UrlSource } from './asset.ts';
import { messageOf } from './errors.ts';

/** Longest wait for the first bytes of the body. A host name that does not resolve fails at once. */
const connectTimeoutMs = 5_000;
/** Longest wait between two chunks of the body. */
const stallTimeoutMs = 30_000;

export async function fetchUrl({ url }: UrlSource, { asset, partial, signal, report }: Fetching): Promise<void> {
  const host = new URL(url).host;
  let have = partial.bytes();
  if (have === asset.bytes) return;
  report(have, host);

  const patience = new AbortController();
  let timer = setTimeout(() => patience.abort(new Error('no answer')), connectTimeoutMs);
  try {
    const answer = await fetch(url, {
      headers: have > 0 ? { range: `bytes=${have}-` } : {},
      signal: AbortSignal.any([signal, patience.signal]),
    });
    if (answer.status === 200) have = 0;
    else if (answer.status === 206) have = startOfRange(answer.headers.get('content-range'), have);
    else throw new Error(`HTTP ${answer.status}`);
    if (!answer.body) throw new Error('empty answer');

    const handle = await partial.open(have);
    try {
      for await (const chunk of answer.body) {
        clearTimeout(timer);
        timer = setTimeout(() => patience.abort(new Error('the transfer stalled')), stallTimeoutMs);
        if (have + chunk.length > asset.bytes) throw new Error(`longer than the ${asset.bytes} bytes expected`);
        await handle.writeFile(chunk);
        have += chunk.length;
        report(have, host);
      }
    } finally {
      await handle.close();
    }
    if (have < asset.bytes) throw new Error(`ended after ${have} of ${asset.bytes} bytes`);
  } catch (error) {
    if (signal.aborted || isStorage(error)) throw error;
    throw new Error(`${host}: ${reasonOf(patience.signal.aborted ? patience.signal.reason : error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
    patience.abort();
  }
}

/**
 * `bytes 100-199/200` → 100. A server may send another range than the requested one.
 * @throws Error if the range starts after `asked`, because bytes would be missing.
 */
function startOfRange(header: string | null, asked: number): number {
  const start = Number(/^bytes (\d+)-/.exec(header ?? '')?.[1] ?? Number.NaN);
  if (!(start <= asked)) throw new Error(`answered the range "${header}" instead of one from ${asked}`);
  return start;
}

const isStorage = (error: unknown): boolean => error instanceof Error && 'syscall' in error && error.syscall === 'write';

/** The `fetch failed` of Node carries the reason (`getaddrinfo ENOTFOUND …`) in its cause. */
const reasonOf = (error: unknown): string =>
  error instanceof TypeError && error.cause !== undefined ? messageOf(error.cause) : messageOf(error);
