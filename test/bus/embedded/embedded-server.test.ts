import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, watch, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectBus } from '../../../bus/connection.ts';
import { existingServer } from '../../../bus/embedded/embedded-server.ts';
import { isAlive } from '../../../platform/process-identity.ts';
import { Rig } from './rig.ts';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig.dispose());

describe('one terminal', () => {
  it('has a server on loopback with credentials that only its user can read', async () => {
    const server = await rig.open();
    expect(server.url).toMatch(/^nats:\/\/127\.0\.0\.1:\d+$/);
    expect(statSync(rig.paths.record).mode & 0o077).toBe(0);
    expect(statSync(rig.paths.config).mode & 0o077).toBe(0);
    await expect(connect({ servers: server.url, reconnect: false })).rejects.toThrow(/Authorization/i);
  });

  it('stops its server when it leaves, even if told twice, and leaves the data', async () => {
    const server = await rig.open();
    const { pid } = server;
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    expect(isAlive(pid)).toBe(false);
    expect([existsSync(rig.paths.record), existsSync(rig.paths.config), existsSync(rig.paths.data)]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('takes messages of several MB', async () => {
    const server = await rig.open();
    const connection = await connectBus({ to: server, name: 'test', log: rig.log });
    expect(connection.info?.max_payload).toBe(8 * 1024 * 1024);
    await connection.close();
  });

  it('has a server that syncs each write when it is asked to', async () => {
    await rig.open({ syncAlways: true });
    expect(JSON.parse(readFileSync(rig.paths.config, 'utf8')).jetstream.sync_interval).toBe('always');
  });

  it('has new credentials in each run', async () => {
    const one = await rig.open();
    const before = one.pass;
    await one.stop();
    expect((await rig.open()).pass).not.toBe(before);
  });
});

describe('several terminals', () => {
  it('share one server, whichever starts first', async () => {
    const [a, b, c] = await Promise.all([rig.terminal(), rig.terminal(), rig.terminal()]);
    expect(new Set([a.serverPid, b.serverPid, c.serverPid]).size).toBe(1);
    await a.ask('put hello');
    expect(await b.ask('get')).toBe('hello');
  });

  it('keep it until the last one leaves, in any order', async () => {
    const [a, b] = [await rig.terminal(), await rig.terminal()];
    await a.leave();
    expect(isAlive(b.serverPid)).toBe(true);
    await b.leave();
    expect(isAlive(b.serverPid)).toBe(false);
    expect(existsSync(rig.paths.record)).toBe(false);
  });

  it('stop it when they leave at the same moment', async () => {
    const all = await Promise.all([1, 2, 3, 4].map(() => rig.terminal()));
    await Promise.all(all.map((terminal) => terminal.leave()));
    expect(isAlive(all[0]!.serverPid)).toBe(false);
  });

  it('in one process do not stop each other’s server', async () => {
    const [one, two] = [await rig.open(), await rig.open()];
    await one.stop();
    expect(isAlive(two.pid)).toBe(true);
  });

  it('do not count their own open connections', async () => {
    const server = await rig.open();
    const connection = await connectBus({ to: server, name: 'test', log: rig.log });
    await server.stop();
    expect(isAlive(server.pid)).toBe(false);
    await connection.close();
  });

  it('wait for a foreign client to leave as well', async () => {
    const server = await rig.open();
    const foreign = await connect({ servers: server.url, user: server.user, pass: server.pass });
    await server.stop();
    expect(isAlive(server.pid)).toBe(true);
    await foreign.close();
  });

  it('find data that an earlier run left', async () => {
    const a = await rig.terminal();
    await a.ask('put kept');
    await a.leave();
    const b = await rig.terminal();
    expect(b.serverPid).not.toBe(a.serverPid);
    expect(await b.ask('get')).toBe('kept');
  });
});

describe('a terminal that was killed', () => {
  it('leaves the server to the next terminal, which adopts it and stops it', async () => {
    const a = await rig.terminal();
    await a.ask('put kept');
    await a.killed();
    expect(isAlive(a.serverPid)).toBe(true);
    const b = await rig.terminal();
    expect(b.serverPid).toBe(a.serverPid);
    expect(await b.ask('get')).toBe('kept');
    await b.leave();
    expect(isAlive(a.serverPid)).toBe(false);
  });
});

describe('a server that was killed', () => {
  it('is restarted once on its port with its data, and its clients reconnect', async () => {
    const terminals = await Promise.all([rig.terminal(), rig.terminal(), rig.terminal()]);
    await terminals[0]!.ask('put kept');
    process.kill(terminals[0]!.serverPid, 'SIGKILL');
    const after = await Promise.all(terminals.map((terminal) => terminal.ask('reconnected')));
    const [seen] = after.map((answer) => JSON.parse(answer));
    expect(new Set(after).size).toBe(1);
    expect(seen).toMatchObject({ url: terminals[0]!.url, renamed: true });
    expect(seen.serverPid).not.toBe(terminals[0]!.serverPid);
    expect(await terminals[1]!.ask('get')).toBe('kept');
    for (const terminal of terminals) await terminal.leave();
    expect(isAlive(seen.serverPid)).toBe(false);
  });

  it('moves to another port when its own is taken, and its clients follow', async () => {
    const server = await rig.open();
    const { url, port, pid, serverName } = {
      url: server.url,
      port: rig.record().port,
      pid: server.pid,
      serverName: server.serverName,
    };
    const connection = await connectBus({ to: server, name: 'test', log: rig.log });
    const reconnected = (async () => {
      for await (const { type } of connection.status()) if (type === 'reconnect') return;
    })();
    // The port is free when the process is gone, and must be taken before the terminal notices: within this tick of the event
    // loop.
    const squatter = createServer((socket) => socket.destroy());
    process.kill(pid, 'SIGKILL');
    while (isAlive(pid));
    squatter.listen(port, '127.0.0.1');
    await once(squatter, 'listening');
    await reconnected;
    expect(server.url).not.toBe(url);
    expect(connection.info?.server_name).toBe(server.serverName);
    expect(server.serverName).not.toBe(serverName);
    await connection.close();
    squatter.close();
  });

  it('is restarted by ensure() once', async () => {
    const server = await rig.open();
    process.kill(server.pid, 'SIGKILL');
    await Promise.all([server.ensure(), server.ensure()]);
    const { pid } = server;
    expect(isAlive(pid)).toBe(true);
    await server.ensure();
    expect(server.pid).toBe(pid);
  });

  it('is restarted even if only the terminal itself is connected', async () => {
    const { pid } = await rig.open();
    const back = new Promise<void>((resolve) => {
      const watcher = watch(rig.paths.folder, () => {
        if (!existsSync(rig.paths.record) || rig.record().pid === pid) return;
        watcher.close();
        resolve();
      });
    });
    process.kill(pid, 'SIGKILL');
    await back;
    expect(isAlive(rig.record().pid)).toBe(true);
  });

  it('stays dead after the terminal has left', async () => {
    const server = await rig.open();
    await server.stop();
    await server.ensure();
    expect(existsSync(rig.paths.record)).toBe(false);
  });
});

describe('the state file', () => {
  it('is replaced when it names a dead process', async () => {
    const a = await rig.terminal();
    await a.ask('put kept');
    // Frozen first, so that the terminal is gone before the server dies and cannot restart it.
    process.kill(a.serverPid, 'SIGSTOP');
    await a.killed();
    process.kill(a.serverPid, 'SIGKILL');
    const b = await rig.terminal();
    expect(b.serverPid).not.toBe(a.serverPid);
    expect(await b.ask('get')).toBe('kept');
  });

  it('is replaced when it names a living foreign process, which is left alone', async () => {
    const server = await rig.open();
    const record = rig.record();
    await server.stop();
    writeFileSync(rig.paths.record, JSON.stringify({ ...record, pid: process.ppid, pidStart: 'another time' }));
    writeFileSync(rig.paths.pid, JSON.stringify({ pid: process.ppid, start: 'another time' }));
    expect((await rig.open()).pid).not.toBe(process.ppid);
    expect(isAlive(process.ppid)).toBe(true);
  });

  it('is replaced when it is damaged; one server has the data, and the earlier terminals follow', async () => {
    const a = await rig.terminal();
    await a.ask('put kept');
    writeFileSync(rig.paths.record, '{"url":');
    const b = await rig.terminal();
    expect(b.serverPid).not.toBe(a.serverPid);
    expect(isAlive(a.serverPid)).toBe(false);
    expect(JSON.parse(await a.ask('reconnected'))).toMatchObject({ serverPid: b.serverPid });
    expect(await a.ask('get')).toBe('kept');
  });

  it('is not written by existingServer(), which finds no server when it is missing', async () => {
    expect(await existingServer(rig.options())).toBeNull();
    expect(existsSync(rig.paths.folder)).toBe(false);
  });

  it('lets existingServer() join a running server and not a dead one', async () => {
    const server = await rig.open();
    const joined = await existingServer(rig.options());
    expect(joined?.pid).toBe(server.pid);
    await joined?.stop();
    expect(isAlive(server.pid)).toBe(true);
    const record = readFileSync(rig.paths.record);
    await server.stop();
    writeFileSync(rig.paths.record, record);
    expect(await existingServer(rig.options())).toBeNull();
  });
});

describe('a start that fails', () => {
  const script = (text: string): string => {
    const path = join(rig.folder, 'nats-server');
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const env = (path: string): NodeJS.ProcessEnv => ({ ...process.env, COX_NATS_SERVER: path });

  it('reports the output of a binary that crashes at once', async () => {
    const path = script('[ "$1" = --version ] && echo "nats-server: v2.15.1" && exit\necho "cannot find libmoon.so" >&2; exit 3');
    await expect(rig.open({ env: env(path) })).rejects.toMatchObject({
      code: 'nats-start-failed',
      message: expect.stringMatching(/ended with code 3\ncannot find libmoon\.so/),
    });
    expect(existsSync(rig.paths.record)).toBe(false);
  });

  it('reports the output of the real server', async () => {
    const server = await rig.open();
    await server.stop();
    writeFileSync(join(rig.folder, 'no-folder'), '');
    rmSync(rig.paths.data, { recursive: true });
    symlinkSync('/dev/null', rig.paths.data);
    await expect(rig.open()).rejects.toMatchObject({ code: expect.stringMatching(/storage-failed|nats-start-failed/) });
  });

  it('stops the server that it was starting when it is aborted', async () => {
    const path = script(
      `[ "$1" = --version ] && echo "nats-server: v2.15.1" && exit\necho $$ > "${rig.folder}/draft"; mv "${rig.folder}/draft" "${rig.folder}/pid"; exec sleep 600`,
    );
    const controller = new AbortController();
    const watcher = watch(rig.folder, (_, name) => name === 'pid' && controller.abort(new Error('Ctrl-C')));
    const opening = rig.open({ env: env(path), signal: controller.signal }).finally(() => watcher.close());
    await expect(opening).rejects.toThrow('Ctrl-C');
    expect(isAlive(Number(readFileSync(join(rig.folder, 'pid'), 'utf8')))).toBe(false);
  });

  it('names the folder that cannot be used', async () => {
    writeFileSync(join(rig.folder, 'state'), 'a file');
    await expect(rig.open()).rejects.toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining(rig.paths.folder),
    });
  });

  it.runIf(process.platform === 'linux')('reports a frozen server and how to end it', async () => {
    const server = await rig.open();
    process.kill(server.pid, 'SIGSTOP');
    // The signal reaches one thread, which stops the others when it gets a core; until then they answer.
    const threads = `/proc/${server.pid}/task`;
    const isStopped = (thread: string): boolean => /\) T /.test(readFileSync(`${threads}/${thread}/stat`, 'utf8'));
    while (!readdirSync(threads).every(isStopped)) await new Promise(setImmediate);
    await expect(rig.open()).rejects.toMatchObject({
      code: 'nats-frozen',
      hint: expect.stringContaining(`kill -9 ${server.pid}`),
    });
    process.kill(server.pid, 'SIGCONT');
  });
});
