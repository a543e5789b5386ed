/** The members of a crew are those that the key of the crew has signed, and nobody else. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { headers } from '@nats-io/nats-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MemberFile, readCrewFile } from '../../../bus/team/crew-file.ts';
import { Keeper } from '../../../bus/team/keeper.ts';
import { checkedList, signedList } from '../../../bus/team/members.ts';
import { isSignedBy, newSigner, signerOf } from '../../../bus/team/nkeys.ts';
import { Team } from '../../../bus/team/team.ts';
import { TeamCrew } from '../../support/team-crew.ts';

let folder: string;
let keeper: Keeper;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cox-members-'));
  keeper = Keeper.init(join(folder, 'crew'), { namespace: undefined, url: undefined, jwt: false });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const fileAt = (path: string) => readCrewFile(MemberFile, path)!;

test('keys of the nkeys package and of this one are the same, and a signature fits one text', () => {
  const signer = newSigner('user');
  const again = signerOf(signer.seed);
  expect(again.key).toBe(signer.key);
  const signature = signer.sign('grüß');
  expect([
    isSignedBy(signer.key, 'grüß', signature),
    isSignedBy(signer.key, 'gruß', signature),
    isSignedBy(newSigner('user').key, 'grüß', signature),
    isSignedBy('UNOKEY', 'grüß', signature),
    isSignedBy(signer.key, 'grüß', ''),
  ]).toEqual([true, false, false, false, false]);
});

test('a team takes a newer list of its crew, and no older one, changed one, or one by another key', () => {
  const team = new Team(fileAt(keeper.invite('ann', ['operator'])));
  const old = keeper.list;
  keeper.invite('bob', ['operator']);
  const { crew } = fileAt(keeper.invite('eve', ['observer']));
  const list = keeper.list;
  const king = { ...list, members: list.members.map((member) => ({ ...member, roles: ['operator'] as const })) };
  const stranger = newSigner('user');
  for (const no of [king, signedList({ ...list, version: 99 }, stranger), { ...list, version: 99 }, null, 'x', {}, []])
    expect(team.learn(no)).toBe('older');
  expect(team.list.version).toBe(old.version);
  expect([team.learn(list), team.learn(list), team.learn(old)]).toEqual(['newer', 'same', 'older']);
  expect(checkedList(list, crew, 'other')).toBeNull();
});

test('a member cannot give itself a role in its own file', () => {
  const file = fileAt(keeper.invite('eve', ['observer']));
  const list = { ...file.list, members: file.list.members.map((member) => ({ ...member, roles: ['operator' as const] })) };
  expect(() => new Team({ ...file, list })).toThrow('damaged');
  expect(() => new Team({ ...file, name: 'ann' })).toThrow('damaged');
});

test('a name is given once, also after a revocation', () => {
  keeper.invite('ann', ['operator']);
  keeper.revoke('ann');
  expect(() => keeper.invite('ann', ['observer'])).toThrow('was a member until it was revoked');
  expect(() => keeper.revoke('ann')).toThrow('not a member');
  const config = readFileSync(keeper.configFile, 'utf8');
  expect(config).not.toContain(keeper.list.members[0]!.key);
});

test('an opened keeper goes on with its list', () => {
  keeper.invite('ann', ['operator']);
  const again = Keeper.open(keeper.folder);
  again.invite('bob', ['observer']);
  expect(again.list.members.map(({ name }) => name)).toEqual(['ann', 'bob']);
  expect(again.list.version).toBe(3);
});

test('what is wrong with a crew file is said without a part of it', () => {
  const path = keeper.invite('ann', ['operator']);
  const { seed } = fileAt(path);
  const message = (text: string) => {
    writeFileSync(path, text);
    try {
      fileAt(path);
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error('it was taken');
  };
  for (const text of [`{"seed":"${seed}"`, JSON.stringify({ seed: `${seed}x` }), '[]', ''])
    expect(message(text)).not.toContain(seed.slice(2, 20));
});

test('a steer is judged by the time at which it was stored, however late somebody reads it', () => {
  const ann = new Team(fileAt(keeper.invite('ann', ['operator'])));
  const at = new Date('2026-01-01T00:00:00Z');
  const message = { subject: 'cox.tasks.k3xq.0.steering', msgId: 'm1', body: '{"type":"cancel"}' };
  const header = headers();
  header.set('Nats-Msg-Id', message.msgId);
  for (const [name, value] of ann.signed(message, at)) header.set(name, value);
  const data = new TextEncoder().encode(message.body);
  const senderAt = (time: Date) => ann.senderOf({ subject: message.subject, data, header, time }, 'k3xq.0', 'cancel');
  const minutes = (n: number) => new Date(at.getTime() + n * 60_000);
  expect([senderAt(minutes(0)), senderAt(minutes(2)), senderAt(minutes(-2))].map(({ problem }) => problem)).toEqual([
    null,
    null,
    null,
  ]);
  expect(senderAt(minutes(3)).problem).toContain('send it anew');
  keeper.revoke('ann');
  ann.learn(keeper.list);
  // Stored before the revocation, which is of today.
  expect(senderAt(minutes(1)).problem).toBeNull();
  const since = new Date();
  const later = headers();
  later.set('Nats-Msg-Id', message.msgId);
  for (const [name, value] of ann.signed(message, since)) later.set(name, value);
  expect(ann.senderOf({ subject: message.subject, data, header: later, time: since }, 'k3xq.0', 'cancel').problem).toContain(
    'removed',
  );
});

test('a supervisor puts its list in the place of what a stranger has the server store there', async () => {
  const crew = await TeamCrew.start({ boss: ['supervisor'], hand: ['worker'] });
  try {
    const boss = await crew.join('boss');
    const stored = async () => (await boss.bus.jsm.streams.getMessage('cox_crew', { last_by_subj: 'cox.crew.members' }))!;
    const genuine = (await stored()).json();
    const hand = await crew.connect('hand');
    hand.publish('$JS.API.STREAM.INFO.cox_log', '', { reply: 'cox.crew.members' });
    await hand.flush();
    while ((await stored()).seq < 3);
    expect((await stored()).json()).toEqual(genuine);
    expect(boss.bus.team!.list.version).toBe(3);
  } finally {
    await crew.stop();
  }
});
