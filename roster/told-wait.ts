/**
 * The wait that a server asks for, in its headers (`retry-after-ms`, `retry-after` as seconds, duration or date, else the time at
 * which its limit begins anew) or in the body of its refusal (Google's `retryDelay`, `retry_after`, "try again in 20s").
 */

/** Longer waits are no waits for a call, and their numbers are likely something else. */
const mostMs = 86_400_000;

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const units = `milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d`;
const duration = String.raw`\d+(?:\.\d+)?\s*(?:${units})(?![a-z])(?:(?:\s*,)?(?:\s*and)?\s*\d+(?:\.\d+)?\s*(?:${units})(?![a-z]))*`;
const inWords = new RegExp(
  String.raw`(?:try(?:ing)? again|retry(?:ing)?|wait|reset\w*|available)\W+(?:\w+\W+){0,3}?(${duration})`,
  'i',
);
/** `retry_after`, `retryDelay`, `estimated_time` and the like, with a number or a duration, in any quotes. */
const inField = new RegExp(
  String.raw`["']?(?:retry[_-]?(?:after|delay|in)|estimated_time)([_-]?(?:ms|millis|milliseconds|seconds|secs?))?["']?\s{0,9}[:=]\s{0,9}["']?(${duration}|\d+(?:\.\d+)?)(?=["'\s,}\]]|$)`,
  'i',
);
/** As an object of JSON, or in the text form of protocol buffers. */
const asObject = /["']?retry_?delay["']?\s{0,9}:?\s{0,9}\{[^{}]{0,200}?["']?seconds["']?\s{0,9}:\s{0,9}["']?(\d+)/i;
const resetNames = [
  'x-ratelimit-reset-requests',
  'x-ratelimit-reset-tokens',
  'x-ratelimit-reset',
  'x-ratelimit-reset-after',
  'ratelimit-reset',
];
/** Anthropic tells of all its limits. Those count of which nothing remains. */
const anthropicLimits = ['requests', 'tokens', 'input-tokens', 'output-tokens'].map((limit) => `anthropic-ratelimit-${limit}`);
/** OpenRouter tells the header in the body, in ms since 1970. */
const resetInBody = /["']?x-ratelimit-reset["']?\s{0,9}:\s{0,9}["']?(\d{10,13})/i;

/** @returns milliseconds, or undefined where no plausible wait is told. Of several waits it is the longest. */
export function toldWait(headers: Headers | undefined, body: string): number | undefined {
  const told = [fromHeaders(headers), plausible(fromBody(body))].filter((ms) => ms !== undefined);
  if (told.some((ms) => ms > 0)) return Math.max(...told);
  return fromReset(headers, body) ?? told[0];
}

function fromHeaders(headers: Headers | undefined): number | undefined {
  for (const name of ['retry-after-ms', 'x-ms-retry-after-ms']) {
    const ms = plausible(numberIn(headers?.get(name)));
    if (ms !== undefined) return ms;
  }
  const text = headers?.get('retry-after')?.trim();
  if (!text) return undefined;
  // A proxy adds its own header to that of the server behind it.
  const seconds = text.split(',').map(numberIn);
  if (seconds.every((it) => it !== undefined)) return plausible(Math.max(...seconds) * 1000);
  const ms = msOf(text);
  if (ms !== undefined) return plausible(ms);
  if (!/[a-z]/i.test(text)) return undefined;
  return plausible(Math.max(0, Date.parse(text) - sentAt(headers)));
}

/** A date of the server is on its clock, so it is compared with the server's `date` header. */
const sentAt = (headers: Headers | undefined): number => Date.parse(headers?.get('date') ?? '') || Date.now();

/** When the limit begins anew: as a duration, in seconds, or as a time. */
function fromReset(headers: Headers | undefined, body: string): number | undefined {
  const at = resetInBody.exec(unescaped(body))?.[1];
  const told = [
    ...resetNames.map((name) => headers?.get(name)?.trim() ?? ''),
    ...anthropicLimits.map((name) => (headers?.get(`${name}-remaining`) === '0' ? (headers.get(`${name}-reset`) ?? '') : '')),
  ];
  const waits = [...told, at ?? ''].map((text) => {
    const count = numberIn(text);
    if (count === undefined)
      return plausible(/^\d{4}-\d\d-\d\dT/.test(text) ? Math.max(0, Date.parse(text) - sentAt(headers)) : msOf(text));
    const time = count > 1e11 ? count : count > 1e8 ? count * 1000 : null;
    return plausible(time === null ? count * 1000 : Math.max(0, time - sentAt(headers)));
  });
  const found = waits.filter((ms) => ms !== undefined);
  return found.length > 0 ? Math.max(...found) : undefined;
}

/** JSON within a text of JSON, as proxies pass on what the server behind them has answered. */
const unescaped = (text: string): string =>
  text
    .slice(0, 10_000)
    .replaceAll(/\\{1,8}n/g, ' ')
    .replaceAll(/\\{1,8}(?=["'])/g, '');

function fromBody(body: string): number | undefined {
  const text = unescaped(body);
  const seconds = asObject.exec(text)?.[1];
  if (seconds !== undefined) return Number(seconds) * 1000;
  const [, unit = '', given] = inField.exec(text) ?? [];
  if (given !== undefined) return msOf(given) ?? Number(given) * (/m/i.test(unit) ? 1 : 1000);
  const said = inWords.exec(text)?.[1];
  return said === undefined ? undefined : msOf(said);
}

/** `1m30.5s`, `20s`, `350 ms`, `2 minutes`; undefined for anything else. */
function msOf(text: string): number | undefined {
  if (!new RegExp(`^${duration}$`, 'i').test(text.trim())) return undefined;
  let ms = 0;
  for (const [, count, unit] of text.matchAll(/(\d{1,15}(?:\.\d{1,15})?)\s{0,9}([a-z]+)/gi)) {
    const word = unit!.toLowerCase();
    ms += Number(count) * unitMs[/^m(s|illi)/.test(word) ? 'ms' : word[0]!]!;
  }
  return ms;
}

const numberIn = (text: string | null | undefined): number | undefined =>
  text && /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number(text) : undefined;

const plausible = (ms: number | undefined): number | undefined =>
  ms !== undefined && Number.isFinite(ms) && ms >= 0 && ms <= mostMs ? ms : undefined;
