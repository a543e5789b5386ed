/** The wishes of sites: their `robots.txt` (RFC 9309), kept for a while. */
import { messageOf } from '../../../platform/errors.ts';
import { originOf } from '../../../roster/web-schema.ts';
import { shownUrl } from '../browser/page-words.ts';
import type { PageReader } from './page-reader.ts';
import { type Fetched, FetchProblem } from './web-fetch.ts';
import { WebRefused } from './web-policy.ts';

/** The name by which a `robots.txt` may speak to this agent. */
export const robotsName = 'coxswain';

const keptMs = 3_600_000;
/** A site that could not say what it wants is asked again sooner. */
const unsureMs = 60_000;
const maxSites = 500;

interface Known {
  /** The content; null: the site cannot be asked at the moment, and nothing of it may be read. */
  readonly text: string | null;
  readonly until: number;
}

export class Robots {
  readonly #known = new Map<string, Known>();
  readonly #reader: PageReader;
  readonly #now: () => number;

  constructor(reader: PageReader, now: () => number = Date.now) {
    this.#reader = reader;
    this.#now = now;
  }

  /**
   * @param fetch gets the `robots.txt`.
   * @throws FetchProblem `robots` if the site does not want the page to be read by programs.
   */
  async check(url: URL, fetch: (url: URL) => Promise<Fetched>, signal: AbortSignal): Promise<void> {
    const origin = originOf(url)!;
    const robotsUrl = new URL('/robots.txt', origin);
    const text = await this.#of(origin, robotsUrl, fetch, signal);
    if (text === null)
      throw new FetchProblem(
        'robots',
        `${robotsUrl.href} cannot be read at the moment, so nobody knows whether programs may read ${origin}. Try later.`,
      );
    if (text.trim() === '') return;
    const job = { robotsUrl: robotsUrl.href, robots: text, url: url.href, agent: robotsName };
    if (!(await this.#reader.mayRead(job, signal)))
      throw new FetchProblem(
        'robots',
        `${robotsUrl.href} asks programs not to read ${shownUrl(url.href)}. Look for the same elsewhere.`,
      );
  }

  async #of(origin: string, robotsUrl: URL, fetch: (url: URL) => Promise<Fetched>, signal: AbortSignal): Promise<string | null> {
    const known = this.#known.get(origin);
    if (known && known.until > this.#now()) return known.text;
    const text = await read(robotsUrl, fetch, signal);
    if (this.#known.size >= maxSites) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(origin, { text, until: this.#now() + (text === null ? unsureMs : keptMs) });
    return text;
  }
}

async function read(robotsUrl: URL, fetch: (url: URL) => Promise<Fetched>, signal: AbortSignal): Promise<string | null> {
  try {
    const { status, bytes } = await fetch(robotsUrl);
    if (status >= 500 || status === 429) return null;
    return status >= 200 && status < 300 ? bytes.toString('utf8') : '';
  } catch (cause) {
    signal.throwIfAborted();
    // A site that nobody can reach, and one with a bad certificate, are reported by the page itself.
    if (cause instanceof WebRefused || !(cause instanceof FetchProblem)) throw cause;
    if (cause.code === 'too-slow') return null;
    if (cause.code === 'unreachable' || cause.code === 'bad-certificate')
      throw new FetchProblem(cause.code, messageOf(cause), cause);
    return '';
  }
}
