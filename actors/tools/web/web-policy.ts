/**
 * Where the tools of a node may go on the web, by the roster's section `web`. The browser, its proxy and `fetch_page` ask here
 * alone. An address is checked after the look-up of its name, and whoever asked connects to the checked address, so a name cannot
 * change in between.
 */
import { lookup as systemLookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { fitted } from '../../../platform/cut.ts';
import { CoxError, codeOf } from '../../../platform/errors.ts';
import { unlessAborted, withTimeLimit } from '../../../platform/time-limit.ts';
import {
  originOf,
  plainHost,
  portOf,
  type Verdict,
  type WebAction,
  type WebOpening,
  type WebRules,
} from '../../../roster/web-schema.ts';
import { closedRange, unmapped } from './closed-ranges.ts';

export type { Verdict, WebAction } from '../../../roster/web-schema.ts';

export interface WebAddress {
  readonly address: string;
  readonly family: 4 | 6;
}
export interface WebPolicy {
  /** Whether pages may load only from origins in `web.origins`. */
  readonly onlyListed: boolean;
  /** Whether the address's origin is in `web.origins`. */
  isListed(url: URL): boolean;
  /**
   * The rule of `web.per_origin`, else that of `web.on`. To `leave` for a listed origin is `allow`, unless `web.per_origin` has a
   * rule for it.
   */
  verdict(action: WebAction, url: URL): Verdict;
  /** Whether there is an origin to which pages may send forms unasked. */
  readonly sendsUnasked: boolean;
  /**
   * The addresses to connect to.
   * @param host a name or an address, in any spelling; IPv6 with or without brackets.
   * @throws WebRefused if one of the addresses is in a closed range that `web.open` does not open, or if `host` is not a host.
   * @throws CoxError `no-host` if the name is not known.
   */
  resolve(host: string, port: number): Promise<readonly WebAddress[]>;
}

/** The policy forbids it. The message says why, and which line of the roster would open it. */
export class WebRefused extends CoxError {
  constructor(message: string, hint = 'Choose another address, or ask the operator to open this one.') {
    super('web-refused', message, { hint });
  }
}

/** Looks a name up: by default as the system does. */
export type Lookup = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;
const bySystem: Lookup = (host) => systemLookup(host, { all: true });

/** Longest wait for the look-up of a name, in ms. */
const lookupMs = 10_000;

/** @param lookup Default: the system's. */
export function webPolicy(rules: WebRules, lookup: Lookup = bySystem): WebPolicy {
  const { origins, open, on, perOrigin, resources } = rules;
  const listed = new Set(origins);
  const isListed = (url: URL): boolean => listed.has(originOf(url) ?? '');
  return {
    sendsUnasked: on.submit === 'allow' || Object.values(perOrigin).some(({ submit }) => submit === 'allow'),
    onlyListed: resources === 'listed',
    isListed,
    verdict: (action, url) => {
      const origin = originOf(url) ?? '';
      const own = Object.hasOwn(perOrigin, origin) ? perOrigin[origin]![action] : undefined;
      return own ?? (action === 'leave' && isListed(url) ? 'allow' : on[action]);
    },
    resolve: async (asked, port) => {
      const host = plainHost(asked);
      if (host === null) throw new WebRefused(`Refused: ${JSON.stringify(fitted(asked, 300))} is not the name of a host.`);
      const addresses = await addressesOf(host, lookup);
      for (const { address } of addresses) {
        const range = closedRange(address);
        if (range !== null && !open.some((opening) => opens(opening, host, port, address)))
          throw closed(host, port, address, range);
      }
      return addresses;
    },
  };
}

/**
 * To be called before anybody is asked about the address. A name is not looked up before somebody has allowed it: also a look-up
 * tells others something.
 * @throws WebRefused if it is in a closed range as it stands.
 */
export async function mustNotBeClosed(url: URL, policy: WebPolicy): Promise<void> {
  if (/^[\d.]+$|^\[|(^|\.)localhost\.?$/.test(url.hostname)) await policy.resolve(url.hostname, portOf(url));
}

/** The policy of a roster that may change: it is made again for each roster. */
export function livePolicy(rules: () => WebRules, lookup?: Lookup): () => WebPolicy {
  const made = new WeakMap<WebRules, WebPolicy>();
  return () => {
    const now = rules();
    const policy = made.get(now) ?? webPolicy(now, lookup);
    made.set(now, policy);
    return policy;
  };
}

async function addressesOf(host: string, lookup: Lookup): Promise<WebAddress[]> {
  const family = isIP(host);
  if (family !== 0) return [{ address: host, family: family as 4 | 6 }];
  // Names below `localhost` are this machine's (RFC 6761), whatever a name server says.
  const name = host.endsWith('.localhost') ? 'localhost' : host;
  let found: Awaited<ReturnType<Lookup>>;
  try {
    found = await withTimeLimit(lookupMs, (signal) => unlessAborted(lookup(name), signal));
  } catch (cause) {
    throw noHost(host, codeOf(cause) === 'EAI_AGAIN' ? 'the name server did not answer' : 'no such name', cause);
  }
  if (found.length === 0) throw noHost(host, 'no such name');
  return found.map(({ address }) => ({ address, family: isIP(address) as 4 | 6 }));
}

const noHost = (host: string, why: string, cause?: unknown) =>
  new CoxError('no-host', `There is no host ${host} (${why}).`, { hint: 'Check the spelling of the address.', cause });

function opens(opening: WebOpening, host: string, port: number, address: string): boolean {
  const plain = unmapped(address);
  if (isIP(plain) === 0) return false;
  if ('range' in opening) {
    const [network, bits] = ipaddr.parseCIDR(opening.range);
    const parsed = ipaddr.parse(plain);
    return parsed.kind() === network.kind() && parsed.match(network, bits);
  }
  const isHost = opening.host === host || (isIP(opening.host) !== 0 && sameAddress(opening.host, plain));
  return isHost && (opening.port === null || opening.port === port);
}

const sameAddress = (a: string, b: string): boolean =>
  ipaddr.process(a).toNormalizedString() === ipaddr.process(b).toNormalizedString();

function closed(host: string, port: number, address: string, range: string): WebRefused {
  const place = isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
  const leads = host === address ? 'is' : `leads to ${address},`;
  const line = `web: { open: ["${place}"] }`;
  return new WebRefused(
    `Refused: ${host} ${leads} an address that is closed to agents (${range}). Only the operator can open it, by this line in the roster: ${line}`,
    `Put ${line} into the roster to let agents reach it.`,
  );
}
