/**
 * The wait that a server asks for, in its headers (`retry-after-ms`, `retry-after` as seconds, duration or date) or in the body of
 * its refusal (Google's `retryDelay`, `retry_after`, "try again in 20s").
 */

/** Longer waits are no waits for a call, and their numbers are likely something else. */
const mostMs = 86_400_000;

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const units = `milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d`;
const duration = String.raw`\d+(?:\.\d+)?\s*(?:${units})(?![a-z])(?:\s*\d+(?:\.\d+)?\s*(?:${units})(?![a-z]))*`;
const inWords = new RegExp(String.raw`(?:try(?:ing)? again|retry(?:ing)?|wait|reset\w*)\W+(?:\w+\W+){0,3}?(${duration})`, 'i');
const inField =
  /"?retry[_-]?(?:after|delay)([_-]?(?:ms|millis|milliseconds|seconds|secs))?"?\s*[:=]\s*"?(\d+(?:\.\d+)?)"?(?=[\s,}\]]|$)/i;
const asDuration = new RegExp(String.raw`"retry_?delay"\s*:\s*"?(${duration})`, 'i');
const asObject = /"retry_?delay"\s*:\s*\{[^{}]*?"seconds"\s*:\s*"?(\d+)/i;

/** @returns milliseconds, or undefined where no plausible wait is told. */
export function toldWait(headers: Headers | undefined, body: string): number | undefined {
  return fromHeaders(headers) ?? plausible(fromBody(body));
}

function fromHeaders(headers: Headers | undefined): number | undefined {
  for (const name of ['retry-after-ms', 'x-ms-retry-after-ms']) {
    const ms = plausible(numberIn(headers?.get(name)));
    if (ms !== undefined) return ms;
  }
  const text = headers?.get('retry-after')?.trim();
  if (!text) return undefined;
  const seconds = numberIn(text);
  if (seconds !== undefined) return plausible(seconds * 1000);
  const ms = msOf(text);
  if (ms !== undefined) return plausible(ms);
  if (!/[a-z]/i.test(text)) return undefined;
  // The date is on the server's clock, so it is compared with the server's `date` header.
  const sent = Date.parse(headers?.get('date') ?? '') || Date.now();
  return plausible(Math.max(0, Date.parse(text) - sent));
}

function fromBody(body: string): number | undefined {
  const text = body.slice(0, 10_000);
  const seconds = asObject.exec(text)?.[1];
  if (seconds !== undefined) return Number(seconds) * 1000;
  const told = asDuration.exec(text)?.[1];
  if (told !== undefined) return msOf(told);
  const [, unit = '', count] = inField.exec(text) ?? [];
  if (count !== undefined) return Number(count) * (/m/i.test(unit) ? 1 : 1000);
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
