import { request } from 'node:http';
import { afterEach, expect, test } from 'vitest';
import { type MetricsServer, metricsPlace, serveMetrics } from '../../cli/metrics-server.ts';

let server: MetricsServer | null = null;
afterEach(async () => {
  await server?.stop();
  server = null;
});

const type = 'text/plain; version=0.0.4; charset=utf-8';
async function start(host: string, token: string | null = null): Promise<string> {
  server = await serveMetrics({ host, port: 0 }, { text: () => 'cox_slots 8\n', type, token });
  return server.url;
}

/** `fetch` does not let a caller name another host. */
function ask(
  url: string,
  { host, ...headers }: Record<string, string> = {},
  method = 'GET',
): Promise<{ status: number; body: string; type: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers: { ...headers, ...(host && { host }) } }, async (response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      resolve({ status: response.statusCode ?? 0, body, type: response.headers['content-type'] ?? '' });
    });
    asked.on('error', reject).end();
  });
}

test.each([
  ['', { host: '127.0.0.1', port: 9464 }],
  ['9500', { host: '127.0.0.1', port: 9500 }],
  ['0.0.0.0:9500', { host: '0.0.0.0', port: 9500 }],
  ['[::1]:0', { host: '::1', port: 0 }],
  ['localhost:80', { host: 'localhost', port: 80 }],
])('the address "%s" is read', (text, place) => {
  expect(metricsPlace(text)).toEqual(place);
});

test.each(['x', 'host:', ':80', '127.0.0.1:99999', '::1:80', '1:2:3', 'a b:80', '-1'])('the address "%s" is refused', (text) => {
  expect(() => metricsPlace(text)).toThrow(/is not an address/);
});

test('the figures are at /metrics on loopback, and nothing else is there', async () => {
  const url = await start('127.0.0.1');
  expect(await ask(url)).toEqual({ status: 200, body: 'cox_slots 8\n', type });
  expect(await ask(url.replace('/metrics', '/'))).toMatchObject({ status: 404 });
  expect(await ask(url, {}, 'POST')).toMatchObject({ status: 405 });
  expect(await ask(url, {}, 'HEAD')).toMatchObject({ status: 200, body: '' });
});

test('a page of the web that points its name at this machine reads nothing', async () => {
  const url = await start('127.0.0.1');
  expect(await ask(url, { host: 'evil.example.org' })).toMatchObject({ status: 403 });
  expect(await ask(url, { host: '127.0.0.1.evil.example.org' })).toMatchObject({ status: 403 });
  expect(await ask(url, { host: 'localhost:1234' })).toMatchObject({ status: 200 });
  expect(await ask(url, { host: '[::1]:1234' })).toMatchObject({ status: 200 });
});

test('an address that others reach needs a token', async () => {
  await expect(start('0.0.0.0')).rejects.toMatchObject({
    code: 'metrics-open',
    hint: expect.stringContaining('COX_METRICS_TOKEN'),
  });
  const url = (await start('0.0.0.0', 'secret-token')).replace('0.0.0.0', '127.0.0.1');
  expect(await ask(url)).toMatchObject({ status: 401 });
  expect(await ask(url, { authorization: 'Bearer wrong' })).toMatchObject({ status: 401 });
  expect(await ask(url, { authorization: 'Bearer secret-token' })).toMatchObject({ status: 200 });
});

test('a token that is set is needed on loopback too', async () => {
  const url = await start('127.0.0.1', 'secret-token');
  expect(await ask(url)).toMatchObject({ status: 401 });
  expect(await ask(url, { authorization: 'Bearer secret-token' })).toMatchObject({ status: 200 });
});

test('a port that is taken is said, with what to do', async () => {
  const url = await start('127.0.0.1');
  const port = Number(new URL(url).port);
  await expect(serveMetrics({ host: '127.0.0.1', port }, { text: () => '', type, token: null })).rejects.toMatchObject({
    code: 'metrics-port',
  });
});
