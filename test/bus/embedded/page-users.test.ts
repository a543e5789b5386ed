/** The users of the pages of consoles at a real embedded server. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { wsconnect } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectBus } from '../../../bus/connection.ts';
import { terminate } from '../../../bus/embedded/launch.ts';
import { PageUsers } from '../../../bus/embedded/page-users.ts';
import { readPageUsers } from '../../../bus/embedded/page-users-file.ts';
import { pageConnection } from '../../../bus/embedded/server-clients.ts';
import { readRecord } from '../../../bus/embedded/server-record.ts';
import { Subjects } from '../../../bus/subjects.ts';
import { isAlive } from '../../../platform/process-identity.ts';
import { Rig } from './rig.ts';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig.dispose());

const minuteMs = 60_000;
const users = () => new PageUsers(rig.folders, new Subjects('cox'));
const login = ({ url, user, password }: { url: string; user: string; password: string }) =>
  wsconnect({ servers: url, user, pass: password, inboxPrefix: `_INBOX.${user}`, name: pageConnection, reconnect: false });

test('a page reads over the WebSocket, and writes nothing', async () => {
  const server = await rig.open();
  const bus = await connectBus({ to: server, name: 'test', log: rig.log });
  const page = await login(await users().add(minuteMs, []));
  bus.subscribe('cox.api.status', { callback: (_, message) => void message.respond('there') });
  await bus.flush();
  expect((await page.request('cox.api.status', '')).string()).toBe('there');
  const heard = page.subscribe('cox.tasks.*.*.status', { max: 1 });
  await page.flush();
  bus.publish('cox.tasks.k3xq.0.status', 'now');
  for await (const message of heard) expect(message.string()).toBe('now');
  const denied: string[] = [];
  void (async () => {
    for await (const status of page.status()) if (status.type === 'error') denied.push(status.error.message);
  })();
  const forbidden = [
    'cox.api.steer',
    'cox.api.dispatch',
    'cox.tasks.k3xq.0.steering',
    '$KV.cox_tasks.k3xq.0',
    '$JS.API.INFO',
    '$SYS.X',
  ];
  for (const subject of forbidden) page.publish(subject, '{}');
  for (const subject of ['>', 'cox.tasks.*.*.steering', '$KV.cox_tasks.>', '_INBOX.>']) page.subscribe(subject);
  await page.flush();
  await page.flush();
  for (const subject of forbidden) expect(denied.join('\n')).toContain(`"${subject}"`);
  expect(denied).toHaveLength(forbidden.length + 4);
  await bus.close();
});

test('the login of a page is good for the WebSocket alone', async () => {
  const server = await rig.open();
  const { user, password } = await users().add(minuteMs, []);
  await expect(connect({ servers: server.url, user, pass: password, reconnect: false })).rejects.toThrow(/Authorization/i);
});

test('a page whose user is taken out loses its connection at once; other clients keep theirs', async () => {
  const server = await rig.open();
  const bus = await connectBus({ to: server, name: 'test', log: rig.log });
  const lost: string[] = [];
  void (async () => {
    for await (const { type } of bus.status()) lost.push(type);
  })();
  const [first, second] = [await users().add(minuteMs, []), await users().add(minuteMs, [])];
  const [gone, kept] = [await login(first), await login(second)];
  await users().remove([first.user]);
  await gone.closed();
  await kept.flush();
  await bus.flush();
  expect(lost).toEqual([]);
  await expect(login(first)).rejects.toThrow();
  await kept.close();
  await bus.close();
});

test('users whose time is over, and those of a console that was killed, go with the next change and with the next terminal', async () => {
  await rig.open();
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const past = await users().add(minuteMs, []);
  const killed = await users().add(minuteMs, []);
  const change = (name: string, by: object) =>
    writeFileSync(
      rig.paths.pageUsers,
      JSON.stringify(readPageUsers(rig.paths).map((user) => (user.name === name ? { ...user, ...by } : user))),
    );
  const configured = () => readFileSync(rig.paths.config, 'utf8');
  change(past.user, { expiresAt: new Date(0).toISOString() });
  change(killed.user, { pid, pidStart: 'before' });
  const page = await login(killed);
  await rig.open();
  await page.closed();
  expect(configured()).not.toContain(past.user);
  expect(configured()).not.toContain(killed.user);
  const next = await users().add(minuteMs, []);
  change(next.user, { expiresAt: new Date(0).toISOString() });
  await users().add(minuteMs, []);
  expect(configured()).not.toContain(next.user);
});

test('a server that is started again knows the pages, at the same address', async () => {
  const server = await rig.open();
  const given = await users().add(minuteMs, []);
  const { pid } = server;
  await terminate({ pid, start: null });
  await server.ensure();
  expect(server.pid).not.toBe(pid);
  expect(users().url()).toBe(given.url);
  const page = await login(given);
  await page.close();
});

test('an open page does not keep the server up', async () => {
  const server = await rig.open();
  const { pid } = server;
  const page = await login(await users().add(minuteMs, []));
  await server.stop();
  await page.closed();
  expect(isAlive(pid)).toBe(false);
});

test('two consoles that add users at once lose none', async () => {
  await rig.open();
  const added = await Promise.all(Array.from({ length: 6 }, () => users().add(minuteMs, [])));
  for (const each of added) await (await login(each)).close();
});

test('a server that an older version started has no WebSocket, and the error says how to go on', async () => {
  await rig.open();
  const read = readRecord(rig.paths);
  if (read.kind !== 'record') throw new Error('no record');
  const { websocketPort: _, ...older } = read.record;
  writeFileSync(rig.paths.record, JSON.stringify(older));
  await expect(users().add(minuteMs, [])).rejects.toMatchObject({
    code: 'no-websocket',
    hint: expect.stringContaining('End every cox'),
  });
});
