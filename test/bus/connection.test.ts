import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { nkeys } from '@nats-io/nats-core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type BusAddress, busAddress } from '../../bus/address.ts';
import { connectBus } from '../../bus/connection.ts';
import { obtainServerBinary } from '../../bus/embedded/obtain-binary.ts';
import { download } from '../../platform/download.ts';
import { oldServer, oldServerRuns } from './embedded/old-server.ts';
import { Rig } from './embedded/rig.ts';

let rig: Rig;
const servers: ChildProcess[] = [];
beforeEach(() => {
  rig = new Rig();
});
afterEach(async () => {
  for (const server of servers.splice(0)) {
    const exit = once(server, 'exit');
    if (server.kill('SIGKILL')) await exit;
  }
  await rig.dispose();
});

/** A real server that is not the embedded one. Returns `host:port`. */
async function serve(config: object = {}, binary?: string): Promise<string> {
  const path = binary ?? (await obtainServerBinary(rig.options())).path;
  const file = join(rig.folder, 'operator.conf');
  writeFileSync(file, JSON.stringify({ listen: '127.0.0.1:-1', ...config }));
  const server = spawn(path, ['--config', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  servers.push(server);
  for await (const line of createInterface({ input: server.stderr! })) {
    const said = /Listening for (websocket )?client(?:s| connections) on (?:wss?:\/\/)?(127\.0\.0\.1:\d+)/.exec(line);
    const wanted = 'websocket' in config ? said?.[1] : said && !said[1];
    if (said && wanted) return said[2]!;
  }
  throw new Error('the server did not start');
}

const named = (env: NodeJS.ProcessEnv): BusAddress => {
  const address = busAddress(env);
  if (!address) throw new Error('no NATS_URL');
  return address;
};
const dial = (env: NodeJS.ProcessEnv) => connectBus({ to: named(env), name: 'test', log: rig.log });

async function reaches(env: NodeJS.ProcessEnv): Promise<boolean> {
  const connection = await dial(env);
  await connection.flush();
  await connection.close();
  return true;
}

it('the bus is the embedded server when NATS_URL is not set', () => {
  expect([busAddress({}), busAddress({ NATS_URL: ' ' })]).toEqual([null, null]);
});

it('a connection logs in with user and password from the URL or from variables', async () => {
  const host = await serve({ authorization: { user: 'ann', password: 'p@ss/word' } });
  expect(await reaches({ NATS_URL: `nats://ann:${encodeURIComponent('p@ss/word')}@${host}` })).toBe(true);
  expect(await reaches({ NATS_URL: host, NATS_USER: 'ann', NATS_PASSWORD: 'p@ss/word' })).toBe(true);
});

it('a connection logs in with a token, or with an nkey from a file', async () => {
  const byToken = await serve({ authorization: { token: 'open-sesame' } });
  expect(await reaches({ NATS_URL: byToken, NATS_TOKEN: 'open-sesame' })).toBe(true);
  const user = nkeys.createUser();
  const byKey = await serve({ authorization: { users: [{ nkey: user.getPublicKey() }] } });
  const file = join(rig.folder, 'user.nk');
  writeFileSync(file, `# ann\n${new TextDecoder().decode(user.getSeed())}\n`);
  expect(await reaches({ NATS_URL: byKey, NATS_NKEY: file })).toBe(true);
});

it('a connection reaches a server over WebSocket', async () => {
  const host = await serve({ websocket: { listen: '127.0.0.1:-1', no_tls: true } });
  expect(await reaches({ NATS_URL: `ws://${host}` })).toBe(true);
});

it('a connection does not fall back to plain text when the URL says tls', async () => {
  const host = await serve();
  await expect(dial({ NATS_URL: `tls://${host}` })).rejects.toMatchObject({ code: 'nats-unreachable' });
});

it('an error about refused credentials says where they came from and does not show them', async () => {
  const host = await serve({ authorization: { user: 'ann', password: 'right' } });
  const failure = await dial({ NATS_URL: `nats://ann:very-wrong@${host}` }).catch((error) => error);
  expect(failure).toMatchObject({ code: 'nats-denied', message: expect.stringMatching(new RegExp(`${host}.*from NATS_URL`)) });
  expect(`${failure.message} ${failure.hint}`).not.toContain('very-wrong');
});

it('a connection logs in again when the server has timed out the login', async () => {
  const host = await serve({ authorization: { user: 'ann', password: 'right', timeout: 0.2 } });
  const dialing = connectBus({ to: named({ NATS_URL: `nats://ann:right@${host}` }), name: 'test', log: rig.log });
  setImmediate(() => {
    for (const begun = performance.now(); performance.now() - begun < 1_000; );
  });
  await (await dialing).close();
});

it('an error about an unreachable server names it without the password', async () => {
  // Nobody listens on port 1, and no process gets it meanwhile.
  const port = 1;
  const failure = await dial({ NATS_URL: `nats://ann:hidden@127.0.0.1:${port}` }).catch((error) => error);
  expect(failure).toMatchObject({ code: 'nats-unreachable', message: expect.stringContaining(`nats://127.0.0.1:${port}`) });
  expect(failure.message).not.toContain('hidden');
  await expect(dial({ NATS_URL: 'nats://no-such-host.invalid' })).rejects.toMatchObject({ code: 'nats-unreachable' });
});

it('a connection gives up on a server that accepts it and stays silent, and at once when it is aborted', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const env = { NATS_URL: `127.0.0.1:${(silent.address() as { port: number }).port}` };
  const sockets: { destroy(): void }[] = [];
  const controller = new AbortController();
  silent.once('connection', () => controller.abort(new Error('Ctrl-C')));
  silent.on('connection', (socket) => sockets.push(socket));
  const aborted = connectBus({ to: named(env), name: 'test', log: rig.log, signal: controller.signal });
  await expect(aborted).rejects.toThrow('Ctrl-C');
  await expect(dial(env)).rejects.toMatchObject({ code: 'nats-unreachable' });
  for (const socket of sockets) socket.destroy();
  silent.close();
});

it.runIf(oldServerRuns)('a connection refuses a real server that is too old and names both versions', async () => {
  const old = await download(oldServer, { folder: rig.folders.cache, log: rig.log });
  const host = await serve({}, old);
  await expect(dial({ NATS_URL: host })).rejects.toMatchObject({
    code: 'nats-too-old',
    message: expect.stringMatching(/2\.11\.7.*2\.12\.0/),
  });
});

it.each([
  ['http://host:4222', /scheme http:/],
  ['nats://', /URL|host/],
  ['nats://a,ws://b', /mixes/],
  ['nats://ann:hidden@ho st', /not a URL/],
])('NATS_URL=%s is refused', (url, why) => {
  const failure = (() => {
    try {
      return busAddress({ NATS_URL: url });
    } catch (error) {
      return error as Error;
    }
  })();
  expect(failure).toMatchObject({ code: 'nats-url', message: expect.stringMatching(why) });
  expect((failure as Error).message).not.toContain('hidden');
});

it.each(['NATS_CREDS', 'NATS_NKEY'])('an error names the %s file that cannot be used', (variable) => {
  const file = join(rig.folder, 'credentials');
  expect(() => busAddress({ NATS_URL: 'localhost', [variable]: file })).toThrow(file);
  writeFileSync(file, 'no credentials');
  expect(() => busAddress({ NATS_URL: 'localhost', [variable]: file })).toThrow(/cannot be used/);
});

it('a connection has an inbox of its own and takes messages again after its server was replaced', async () => {
  const server = await rig.open();
  const connection = await connectBus({ to: server, name: 'a worker', log: rig.log });
  const inbox: string[] = [];
  connection.subscribe('question', {
    callback: (_, message) => {
      inbox.push(message.reply ?? '');
      message.respond('answer');
    },
  });
  expect((await connection.request('question')).string()).toBe('answer');
  expect(inbox[0]).toMatch(/^_INBOX\.a_worker\./);
  const reconnected = (async () => {
    for await (const { type } of connection.status()) if (type === 'reconnect') return;
  })();
  process.kill(server.pid, 'SIGKILL');
  await reconnected;
  expect((await connection.request('question')).string()).toBe('answer');
  await connection.close();
});
