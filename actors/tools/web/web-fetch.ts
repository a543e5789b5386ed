/**
 * One GET over http or https, with its redirects. Every hop is checked by the web policy after the look-up of its host, and
 * connects to an address that was checked. Nothing of a server can be endless: not its redirects, its headers, its bytes, nor
 * its time.
 */
import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { pipeline, type Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { CoxError, codeOf, messageOf } from '../../../platform/errors.ts';
import { withTimeLimit } from '../../../platform/time-limit.ts';
import { plainHost, portOf } from '../../../roster/web-schema.ts';
import { shownUrl } from '../browser/page-words.ts';
import { pinnedLookup } from './pinned-lookup.ts';
import { type WebPolicy, WebRefused } from './web-policy.ts';

export interface WebFetch {
  readonly policy: WebPolicy;
  readonly userAgent: string;
  /** Longest time for all of it, in ms. */
  readonly ms: number;
  /** Most bytes of the content, compressed and not, by the `content-type` that the server names. */
  maxBytes(type: string): number;
  /** Asked before each hop, the first among them. @throws if the task must not go there. */
  mayGo(url: URL, from: URL | null, signal: AbortSignal): Promise<void> | void;
}
export interface Fetched {
  /** The address after all redirects. */
  readonly url: URL;
  readonly status: number;
  /** `content-type`, or an empty text. */
  readonly type: string;
  /** `content-disposition`, or an empty text. */
  readonly disposition: string;
  readonly bytes: Buffer;
}

const maxRedirects = 10;
const redirects = new Set([301, 302, 303, 307, 308]);

/** A fault of a page or its server. The message is for a model: it says what happened, and what to try. */
export class FetchProblem extends CoxError {
  constructor(code: string, message: string, cause?: unknown) {
    super(code, message, { hint: 'Try another address.', cause });
  }
}

/**
 * The address of a page as a model gave it.
 * @throws FetchProblem `bad-address` for what is no http or https address, or has a user or a password.
 */
export function pageAddress(text: string): URL {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : null;
  if (!url) throw new FetchProblem('bad-address', `This is no address: ${shownUrl(text)}. It begins with https:// or http://.`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new FetchProblem('bad-address', `Only http and https addresses can be fetched, not ${url.protocol}`);
  if (url.username || url.password)
    throw new FetchProblem('bad-address', 'An address with a user or a password in it is not fetched: leave them out.');
  url.hash = '';
  return url;
}

/**
 * @throws FetchProblem; WebRefused if the policy or `mayGo` forbids a hop.
 * @param signal ends it.
 */
export function webFetch(start: URL, options: WebFetch, signal: AbortSignal): Promise<Fetched> {
  return withTimeLimit(
    options.ms,
    async (limit) => {
      try {
        return await follow(start, options, limit);
      } catch (cause) {
        if (limit.aborted && !signal.aborted)
          throw new FetchProblem(
            'too-slow',
            `${shownUrl(start.href)} took longer than ${options.ms / 1000} s, and was given up.`,
            cause,
          );
        signal.throwIfAborted();
        throw cause;
      }
    },
    signal,
  );
}

async function follow(start: URL, options: WebFetch, signal: AbortSignal): Promise<Fetched> {
  const been = new Set<string>();
  let from: URL | null = null;
  for (let url = start; ; ) {
    await options.mayGo(url, from, signal);
    been.add(url.href);
    const reply = await open(url, options, signal);
    const to = redirects.has(reply.statusCode ?? 0) ? reply.headers.location : undefined;
    if (to === undefined) return { url, ...(await content(url, reply, options, signal)) };
    reply.destroy();
    const next = URL.canParse(to, url.href) ? new URL(to, url) : null;
    const shown = shownUrl(next?.href ?? to);
    if (!next || (next.protocol !== 'http:' && next.protocol !== 'https:'))
      throw new FetchProblem('bad-redirect', `${shownUrl(url.href)} redirects to what is no page of the web: ${shown}`);
    next.username = '';
    next.password = '';
    next.hash = '';
    if (been.has(next.href))
      throw new FetchProblem('redirect-loop', `${shownUrl(start.href)} redirects in a circle, back to ${shown}.`);
    if (been.size > maxRedirects)
      throw new FetchProblem(
        'redirect-loop',
        `${shownUrl(start.href)} redirects more than ${maxRedirects} times, last to ${shown}.`,
      );
    from = url;
    url = next;
  }
}

/** @returns the reply with its headers. */
async function open(url: URL, { policy, userAgent }: WebFetch, signal: AbortSignal): Promise<IncomingMessage> {
  const host = plainHost(url.hostname);
  if (host === null) throw new WebRefused(`Refused: ${shownUrl(url.hostname)} is not the name of a host.`);
  const port = portOf(url);
  const addresses = await policy.resolve(host, port);
  signal.throwIfAborted();
  const isSecure = url.protocol === 'https:';
  const wanted: RequestOptions & { servername?: string } = {
    // An address among them is the checked one; a name is not looked up again.
    ...{ host, port, lookup: pinnedLookup(addresses), agent: false, signal },
    ...{ path: `${url.pathname}${url.search}`, method: 'GET' },
    ...(isSecure && isIP(host) === 0 && { servername: host }),
    headers: {
      host: url.host,
      'user-agent': userAgent,
      accept: 'text/html,application/xhtml+xml,text/*;q=0.9,application/json;q=0.9,*/*;q=0.5',
      'accept-encoding': 'gzip, deflate, br',
    },
  };
  return new Promise((resolve, reject) => {
    const outgoing: ClientRequest = isSecure ? httpsRequest(wanted) : httpRequest(wanted);
    outgoing.once('response', resolve);
    outgoing.once('upgrade', (_, socket) => {
      socket.destroy();
      reject(new FetchProblem('broken-reply', `${shownUrl(url.href)} answered with another protocol than http.`));
    });
    outgoing.on('error', (cause) => reject(signal.aborted ? signal.reason : connectionProblem(url, cause)));
    outgoing.end();
  });
}

async function content(
  url: URL,
  reply: IncomingMessage,
  { maxBytes }: WebFetch,
  signal: AbortSignal,
): Promise<Omit<Fetched, 'url'>> {
  const type = reply.headers['content-type'] ?? '';
  const most = maxBytes(type);
  const tooLarge = (is: string) =>
    new FetchProblem(
      'too-large',
      `${shownUrl(url.href)} ${is}; at most ${most / 1e6} MB are read. Look for a smaller page or a part of it.`,
    );
  try {
    const said = Number(reply.headers['content-length'] ?? 0);
    if (said > most) throw tooLarge(`has ${(said / 1e6).toFixed(1)} MB`);
    const parts: Buffer[] = [];
    let length = 0;
    for await (const part of unpacked(reply, most, () => tooLarge('goes on after that')) as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      length += part.length;
      if (length > most) throw tooLarge(reply.headers['content-encoding'] ? 'unpacks to more' : 'goes on after that');
      parts.push(part);
    }
    if (!reply.complete) throw new Error('aborted');
    const disposition = reply.headers['content-disposition'] ?? '';
    return { status: reply.statusCode ?? 0, type, disposition, bytes: Buffer.concat(parts) };
  } catch (cause) {
    if (signal.aborted || cause instanceof FetchProblem) throw cause;
    if (/^(Z_|ERR__ERROR)/.test(codeOf(cause)))
      throw new FetchProblem(
        'broken-reply',
        `The content of ${shownUrl(url.href)} cannot be unpacked (${messageOf(cause)}).`,
        cause,
      );
    throw new FetchProblem(
      'broken-reply',
      `The content of ${shownUrl(url.href)} broke off (${codeOf(cause) || messageOf(cause)}).`,
      cause,
    );
  } finally {
    reply.destroy();
  }
}

/** The content unpacked; what is packed in an unknown way, or twice, is refused. Packed content is limited by itself too. */
function unpacked(reply: IncomingMessage, most: number, tooLarge: () => Error): Readable {
  const coding = (reply.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (coding === 'identity') return reply;
  const make = Object.hasOwn(unpackers, coding) ? unpackers[coding] : undefined;
  if (!make) throw new FetchProblem('broken-reply', 'The server packs its content in a way that nobody asked for.');
  let received = 0;
  reply.on('data', (part: Buffer) => {
    received += part.length;
    if (received > most) reply.destroy(tooLarge());
  });
  return pipeline(reply, make(), () => {});
}
const unpackers: Readonly<Record<string, () => Transform>> = {
  ...{ gzip: () => createGunzip(), 'x-gzip': () => createGunzip() },
  ...{ deflate: () => createInflate(), br: () => createBrotliDecompress() },
};

const tlsProblems: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is from an issuer that nobody trusts',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is from an issuer that nobody trusts',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is from an issuer that nobody trusts',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
};

function connectionProblem(url: URL, cause: unknown): CoxError {
  if (cause instanceof CoxError) return cause;
  const code = codeOf(cause);
  const shown = shownUrl(url.href);
  const tls = Object.hasOwn(tlsProblems, code) ? tlsProblems[code] : undefined;
  if (tls)
    return new FetchProblem(
      'bad-certificate',
      `${shown} was not read: ${tls} (${code}). Nobody can tell who answers there.`,
      cause,
    );
  if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
    return new FetchProblem('bad-certificate', `${shown} was not read: it does not speak TLS as it should (${code}).`, cause);
  if (code === 'HPE_HEADER_OVERFLOW')
    return new FetchProblem('broken-reply', `${shown} answered with headers that are too long.`, cause);
  if (code.startsWith('HPE_'))
    return new FetchProblem('broken-reply', `${shown} answered with what is no http (${code}).`, cause);
  return new FetchProblem('unreachable', `${shown} cannot be reached (${code || messageOf(cause)}).`, cause);
}
