import { expect, test } from 'vitest';
import { toldWait } from '../../roster/told-wait.ts';

const date = 'Sat, 01 Jan 2000 00:00:00 GMT';

test.each<[Record<string, string>, number | undefined]>([
  [{ 'retry-after': '20' }, 20_000],
  [{ 'retry-after': '1.5' }, 1_500],
  [{ 'retry-after': '20s' }, 20_000],
  [{ 'retry-after': '1500ms' }, 1_500],
  [{ 'retry-after': '1m30s' }, 90_000],
  [{ 'retry-after-ms': '1500', 'retry-after': '2' }, 1_500],
  [{ 'retry-after-ms': 'soon', 'retry-after': '2' }, 2_000],
  [{ 'retry-after': 'Sat, 01 Jan 2000 00:02:00 GMT', date }, 120_000],
  [{ 'retry-after': 'Fri, 31 Dec 1999 23:59:00 GMT', date }, 0],
  [{ 'retry-after': '6, 20' }, 20_000],
  [{ 'x-ratelimit-reset-requests': '6s', 'x-ratelimit-reset-tokens': '1m2s' }, 62_000],
  [{ 'x-ratelimit-reset': '946684830', date }, 30_000],
  [{ 'x-ratelimit-reset': '946684830000', date }, 30_000],
  [{ 'ratelimit-reset': '7' }, 7_000],
  [{ 'x-ratelimit-reset-after': '7.5' }, 7_500],
  [{ 'anthropic-ratelimit-tokens-remaining': '0', 'anthropic-ratelimit-tokens-reset': '2000-01-01T00:00:10Z', date }, 10_000],
  [{ 'anthropic-ratelimit-tokens-remaining': '5', 'anthropic-ratelimit-tokens-reset': '2000-01-01T00:00:10Z', date }, undefined],
  [{ 'retry-after': '3', 'x-ratelimit-reset': '60' }, 3_000],
  [{ 'retry-after': '-5' }, undefined],
  [{ 'retry-after': '1e308' }, undefined],
  [{ 'retry-after': '99999999999' }, undefined],
  [{ 'retry-after': 'later' }, undefined],
  [{}, undefined],
])('headers %j ask for %s ms', (headers, ms) => {
  expect(toldWait(new Headers(headers), '')).toBe(ms);
});

test.each<[string, number | undefined]>([
  ['{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12s"}', 12_000],
  ['{"retryDelay":"12.345s"}', 12_345],
  ['{"retry_delay": {"seconds": 7}}', 7_000],
  ['{"retry_after": 3.5}', 3_500],
  ['{"retry_after_ms": 250}', 250],
  ['{"retry_after_seconds": "4"}', 4_000],
  ['Rate limit reached for m on tokens per min. Please try again in 20s. Visit …', 20_000],
  ['Please try again in 1m30.5s.', 90_500],
  ['Please try again in 350ms.', 350],
  ['Please try again in 1 minute and 3 seconds.', 63_000],
  ['Please try again in 1 hour, 2 minutes.', 3_720_000],
  ['Please retry after 20 seconds.', 20_000],
  ['Please wait 2 minutes before the next request', 120_000],
  ['Please retry in 41.2s', 41_200],
  ['{"retry_after": "6s"}', 6_000],
  ['{"retryAfter":"1m30s"}', 90_000],
  ['{"retry_after_sec": 6}', 6_000],
  ['{"error": "Model is loading", "estimated_time": 20.5}', 20_500],
  ['The model will be available in 6 seconds', 6_000],
  ['{"metadata":{"raw":"{\\"error\\":{\\"details\\":[{\\"retryDelay\\":\\"12s\\"}]}}"}}', 12_000],
  ['details: retry_delay {\n  seconds: 6\n}', 6_000],
  ['Rate limit of 60 requests per 60 s reached', undefined],
  ['Try again later', undefined],
  ['', undefined],
])('the body %s asks for %s ms', (body, ms) => {
  expect(toldWait(undefined, body)).toBe(ms);
});

test('the longest of several waits counts', () => {
  expect(toldWait(new Headers({ 'retry-after': '0' }), '{"retryDelay": "12s"}')).toBe(12_000);
  expect(toldWait(new Headers({ 'retry-after': '30' }), '{"retryDelay": "12s"}')).toBe(30_000);
});

test('a limit that begins anew is read from the body of a proxy', () => {
  const body = '{"metadata":{"headers":{"X-RateLimit-Limit":"20","X-RateLimit-Reset":"946684830000"}}}';
  expect(toldWait(new Headers({ date }), body)).toBe(30_000);
});
