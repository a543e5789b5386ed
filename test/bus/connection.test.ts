import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { nkeys } from '@nats-io/nats-core';
import { Servers } from '@nats-io/nats-core/internal';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type BusAddress, busAddress } from '../../bus/address.ts';
import { connectBus } from '../../bus/connection.ts';
import { obtainServerBinary } from '../../bus/embedded/obtain-binary.ts';
import { download } from '../../platform/download.ts';
import { CoxError } from '../../platform/errors.ts';
import { loopbackCertificate } from '../faults/certificate.ts';
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

const refusalOf = (env: NodeJS.ProcessEnv): CoxError => {
  try {
    busAddress(env);
  } catch (error) {
    if (error instanceof CoxError) return error;
    throw error;
  }
  throw new Error('it was taken');
};

it.each([
  ['http://host:4222', /scheme http:/],
  ['nats://', /host/],
  [',', /no server/],
  ['nats://a,ws://b', /mixes/],
  ['nats://ann:hidden@ho st', /not a URL/],
  ['nats://ann:hidden@ho%20st', /not a URL/],
  ['nats://ann:hidden%@host', /% in its password/],
  ['nats://an%n:hidden@host', /% in its user/],
  ['nats://100%hidden@host', /% in its user/],
  ['nats://:hidden@host', /no user/],
  ['nats://ann:hidden#1@host', /password/],
  ['nats://ann:12/hidden@host', /password/],
  ['nats://ann:12?hidden@host:4222', /password/],
  ['ws://ann:12/hidden@host', /password/],
  ['nats://ann:hid,den@host', /password/],
  ['nats://ann:12,hidden@host', /password/],
  ['nats://host/hidden', /after host and port/],
  ['nats://host?tls=hidden', /after host and port/],
  ['nats://host:port', /port/],
  ['nats://host:0', /port/],
  ['“nats://host”', /quotation mark/],
  ["'nats://host'", /quotation mark/],
])('NATS_URL=%s is refused, with the part and the way out', (url, why) => {
  const { code, message, hint } = refusalOf({ NATS_URL: url });
  expect({ code, message }).toEqual({ code: 'nats-url', message: expect.stringMatching(why) });
  expect(hint).not.toBe('');
  expect(message + hint).not.toMatch(/hid,?den/);
});

it('any text as NATS_URL is either an address or an error of ours', () => {
  const piece = fc.constantFrom(
    'nats://',
    'tls://',
    'ws://',
    '%',
    '@',
    ':',
    '/',
    '?',
    '#',
    ',',
    '[',
    ']',
    '’',
    'host',
    '4222',
    '::1',
    ' ',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 8 }), (pieces) => {
      try {
        const address = busAddress({ NATS_URL: pieces.join('') });
        for (const server of address?.servers ?? []) new Servers().setServers([server]);
      } catch (error) {
        expect(error).toBeInstanceOf(CoxError);
      }
    }),
    { numRuns: 2_000 },
  );
});

it('any user and password reach the server from the URL once they are encoded', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string({ unit: 'grapheme', minLength: 1 }), (user, pass) => {
      const url = `nats://${encodeURIComponent(user)}:${encodeURIComponent(pass)}@host:4222`;
      expect(named({ NATS_URL: url }).authenticator!('')).toEqual({ user, pass });
    }),
  );
});

it('the URL of a WebSocket keeps its path and its query, and a message shows only the path', async () => {
  const asked: string[] = [];
  const proxy = createHttpServer();
  proxy.on('upgrade', (request, socket) => {
    asked.push(request.url ?? '');
    socket.end('HTTP/1.1 404 Not Found\r\n\r\n');
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const failure = await dial({ NATS_URL: `ws://${host}/nats/a:b?key=hidden` }).catch((error) => error);
  proxy.close();
  expect(failure).toMatchObject({ code: 'nats-unreachable', message: expect.stringContaining(`ws://${host}/nats/a`) });
  expect(failure.message).not.toContain('hidden');
  expect(asked[0]).toMatch(/^\/nats\/a(:|%3A)b\?key=hidden$/);
  expect(named({ NATS_URL: 'wss://host' }).servers).toEqual(['wss://host:443']);
});

it.each([true, false])('a connection with TLS reaches a server whether it wants TLS first (%s) or greets', async (first) => {
  const { certificate, key } = loopbackCertificate();
  const place = (name: string, text: string): string => {
    writeFileSync(join(rig.folder, name), text);
    return join(rig.folder, name);
  };
  const tls = { cert_file: place('server.pem', certificate), key_file: place('server.key', key), handshake_first: first };
  const host = await serve({ tls });
  expect(await reaches({ NATS_URL: `tls://${host}`, NATS_CA: place('ca.pem', certificate.replaceAll('\n', '\r\n')) })).toBe(true);
  const stranger = await dial({ NATS_URL: `tls://${host}` }).catch((error) => error);
  expect(stranger).toMatchObject({ code: 'nats-unreachable', message: expect.stringMatching(/certificate/) });
  if (!first) return;
  const plain = await dial({ NATS_URL: `nats://${host}` }).catch((error) => error);
  expect(plain).toMatchObject({ code: 'nats-unreachable', hint: expect.stringMatching(/tls:\/\//) });
});

it('a credentials file is taken with Windows line ends, without a last line end, in UTF-16, and with blanks or a remark in Latin-1 around', () => {
  const user = nkeys.createUser();
  const seed = new TextDecoder().decode(user.getSeed());
  const jwt = 'eyJ0eXAiOiJKV1QifQ.eyJqdGkiOiJ4In0.c2ln';
  const part = (name: string, text: string): string => `-----BEGIN ${name}-----\n${text}\n------END ${name}------\n`;
  const text = `${part('NATS USER JWT', jwt)}\n*** IMPORTANT ***\nKeep it secret.\n\n${part('USER NKEY SEED', seed)}`;
  const forms = [text, text.replaceAll('\n', '\r\n'), text.trimEnd(), `\uFEFF${text}`, text.replaceAll(/^/gm, '  ')].map((it) =>
    Buffer.from(it),
  );
  forms.push(Buffer.from(`\uFEFF${text}`, 'utf16le'), Buffer.from(`\uFEFF${text}`, 'utf16le').swap16());
  forms.push(Buffer.from(`Clé de René\n${text}`, 'latin1'));
  const file = join(rig.folder, 'ann.creds');
  for (const bytes of forms) {
    writeFileSync(file, bytes);
    expect(named({ NATS_URL: 'host', NATS_CREDS: `${file}\r` }).authenticator!('x')).toMatchObject({ jwt });
    expect(named({ NATS_URL: 'host', NATS_NKEY: file }).authenticator!('x')).toMatchObject({ nkey: user.getPublicKey() });
  }
  writeFileSync(file, part('NATS USER JWT', jwt));
  expect(refusalOf({ NATS_URL: 'host', NATS_CREDS: file }).message).toMatch(/NATS_CREDS.*no nkey seed/);
});

it.each(['NATS_CA', 'NATS_CERT', 'NATS_KEY'])('an error names the %s file that is not there or is no PEM', (variable) => {
  const file = join(rig.folder, 'x.pem');
  expect(refusalOf({ NATS_URL: 'host', [variable]: file }).message).toContain(`${variable}: the file ${file}`);
  writeFileSync(file, 'a certificate in another form');
  expect(refusalOf({ NATS_URL: 'host', [variable]: file }).message).toMatch(/-----BEGIN/);
  expect(refusalOf({ NATS_URL: 'wss://host', [variable]: file }).code).toMatch(/^nats-(url|credentials)$/);
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
