/**
 * The section `web` of the roster: where agents may go on the web, and about which acts there they ask. Origins and hosts are
 * stored in one spelling, so that `http://LOCALHOST.:80` and `http://localhost` are the same.
 */
import { isIP } from 'node:net';
import { z } from 'zod';
import { section } from './strict-section.ts';

/** Acts that have effects beyond reading: `leave` is going to an origin that `web.origins` does not list. */
const webActions = ['leave', 'submit', 'buy', 'delete', 'upload'] as const;
export type WebAction = (typeof webActions)[number];
const Verdict = z.enum(['allow', 'ask', 'deny']);
export type Verdict = z.infer<typeof Verdict>;

/** A place in a closed range that agents may reach: a range of addresses, or one host on one port, or on all (`port` null). */
export type WebOpening = { readonly range: string } | { readonly host: string; readonly port: number | null };

/**
 * A host as the WHATWG URL standard spells it, without a dot at its end and without brackets: `LocalHost.` is `localhost`, and
 * `0x7f.1` is `127.0.0.1`.
 * @returns null for a text that is not a host.
 */
export function plainHost(text: string): string | null {
  if (text === '' || /[\s/?#@\\]/.test(text)) return null;
  const bare = isIP(text) === 6 ? `[${text}]` : text;
  if (bare.startsWith('[') ? !bare.endsWith(']') : bare.includes(':')) return null;
  return URL.canParse(`http://${bare}/`) ? withoutMarks(new URL(`http://${bare}/`).hostname) || null : null;
}
function withoutMarks(hostname: string): string {
  if (hostname.startsWith('[')) return hostname.slice(1, -1);
  return hostname.endsWith('.') ? hostname.slice(0, -1) : hostname;
}

/** The origin of an address in the spelling of the roster. @returns null unless it is http or https. */
export function originOf({ protocol, hostname, port }: URL): string | null {
  if (protocol !== 'http:' && protocol !== 'https:') return null;
  const host = withoutMarks(hostname);
  return `${protocol}//${isIP(host) === 6 ? `[${host}]` : host}${port ? `:${port}` : ''}`;
}

/** The port that an http or https address names, or the usual one. */
export const portOf = ({ port, protocol }: URL): number => (port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port));

function originIn(text: string): string | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isBare = url && url.pathname === '/' && !url.search && !url.hash && !url.username && !url.password;
  return isBare ? originOf(url) : null;
}

/** @returns null for a text that is none of an origin, a host, `host:port` and a range of addresses. */
export function openingIn(text: string): WebOpening | null {
  const [, network, bits] = /^([0-9A-Fa-f:.]{2,45})\/(\d{1,3})$/.exec(text) ?? [];
  if (network !== undefined) {
    const family = isIP(network);
    return family > 0 && Number(bits) <= (family === 4 ? 32 : 128) ? { range: text } : null;
  }
  if (text.includes('//')) {
    const origin = originIn(text);
    if (origin === null) return null;
    return { host: plainHost(new URL(origin).hostname)!, port: portOf(new URL(origin)) };
  }
  const whole = plainHost(text);
  if (whole !== null) return { host: whole, port: null };
  const [, name, digits] = /^(.{1,255}):(\d{1,5})$/.exec(text) ?? [];
  const host = name === undefined ? null : plainHost(name);
  const port = Number(digits);
  return host !== null && port >= 1 && port <= 65_535 ? { host, port } : null;
}

const Origin = z
  .string()
  .max(300)
  .refine((text) => originIn(text) !== null, 'expected an origin such as https://example.com, without a path');
const Opening = z
  .string()
  .max(300)
  .refine(
    (text) => openingIn(text) !== null,
    'expected an origin (http://localhost:8080), a host, host:port, or a range (10.0.0.0/8)',
  );

const acts = {
  leave: 'Going to an origin that `origins` does not list.',
  submit: 'Sending a form.',
  buy: 'Buying or ordering.',
  delete: 'Deleting something.',
  upload: 'Handing a file to a page.',
} as const satisfies Record<WebAction, string>;
const verdict = (action: WebAction) => Verdict.default('ask').describe(acts[action]);
const On = section({
  leave: verdict('leave'),
  submit: verdict('submit'),
  buy: verdict('buy'),
  delete: verdict('delete'),
  upload: verdict('upload'),
});
const ofOrigin = (action: WebAction) => Verdict.optional().describe(acts[action]);
const OfOrigin = section({
  leave: ofOrigin('leave'),
  submit: ofOrigin('submit'),
  buy: ofOrigin('buy'),
  delete: ofOrigin('delete'),
  upload: ofOrigin('upload'),
});

export const WebRules = section({
  origins: z.array(Origin).max(1_000).default([]).describe('Origins to which agents go unasked.'),
  open: z
    .array(Opening)
    .max(1_000)
    .default([])
    .describe('Places in closed ranges that agents may reach: origins, hosts, host:port, or ranges such as 10.0.0.0/8.'),
  on: On.prefault({}).describe('What happens before an act: allow, ask the operator, or deny.'),
  per_origin: z
    .record(Origin, OfOrigin)
    .refine((all) => Object.keys(all).length <= 1_000, 'at most 1000')
    .default({})
    .describe('Rules like those of `on` for single origins, which win.'),
  resources: z
    .enum(['any', 'listed'])
    .default('any')
    .describe('What pages may load: anything public, or only from origins in `origins`.'),
}).transform(({ per_origin, ...it }) => ({
  ...it,
  origins: it.origins.map((text) => originIn(text)!),
  open: it.open.map((text) => openingIn(text)!),
  perOrigin: Object.fromEntries(Object.entries(per_origin).map(([text, on]) => [originIn(text)!, on])),
}));
export type WebRules = z.infer<typeof WebRules>;
