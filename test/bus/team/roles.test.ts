/** The subjects that each role may publish and subscribe to, as a real nats-server enforces it: role × verb × subject. */
import type { NatsConnection } from '@nats-io/nats-core';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { busAddress } from '../../../bus/address.ts';
import { requests } from '../../../bus/api-service.ts';
import { connectBus } from '../../../bus/connection.ts';
import { steeringTypes } from '../../../bus/messages.ts';
import { addressOf } from '../../../bus/team/login.ts';
import { newSigner } from '../../../bus/team/nkeys.ts';
import { orderVerbs, type Role, readVerbs, relayVerbs } from '../../../bus/team/roles.ts';
import { TeamCrew } from '../../support/team-crew.ts';

const roles: readonly Role[] = ['operator', 'supervisor', 'worker', 'observer', 'console'];
const nodes: readonly Role[] = ['supervisor', 'worker'];
const readers = roles;
const id = 'k3xq.0';

type Row = readonly [what: string, subject: string, ...may: Role[]];

const publishing: readonly Row[] = [
  ['steer', `cox.tasks.${id}.steering`, 'operator', 'supervisor'],
  ['order a task', 'cox.api.order', 'operator', 'supervisor'],
  ['drop a dead letter', 'cox.api.deadDrop', 'operator', 'supervisor'],
  ['dispatch without a seal', 'cox.api.dispatch'],
  ['steer by a node', 'cox.api.steer'],
  ['post an outcome', 'cox.api.outcome', ...nodes],
  ['ask for a status', 'cox.api.status', ...readers],
  ['ask for a result', 'cox.api.result', ...readers],
  ['ask for a tree', 'cox.api.tree', ...readers],
  ['ask for the tasks', 'cox.api.tasks', ...readers],
  ['ask for the questions', 'cox.api.questions', ...readers],
  ['ask for a chart', 'cox.api.machine', ...readers],
  ['ask for the menu', 'cox.api.menu', ...readers],
  ['ask for the roster', 'cox.api.roster', ...readers],
  ['ask for the nodes', 'cox.api.nodes', ...readers],
  ['ask for the dead letters', 'cox.api.dead', ...readers],
  ['ask for the talk', 'cox.api.talk', ...readers],
  ['ask for the room', 'cox.api.room', ...readers],
  ['ask for the costs', 'cox.api.costs', ...readers],
  ['write the costs of a tree', 'cox.costs.k3xq', 'supervisor'],
  ['ask for the artifacts', 'cox.api.artifacts', ...readers],
  ['ask for an artifact', 'cox.api.artifact', ...readers],
  ['ask for a journal', 'cox.api.journal', ...readers],
  ['publish a new ticket', 'cox.tasks.reasoning.pending', 'supervisor'],
  ['publish a wake', 'cox.tasks.reasoning.wake', ...nodes],
  ['write a record', `$KV.cox_tasks.${id}`, ...nodes],
  ['write a status', `cox.tasks.${id}.status`, ...nodes],
  ['write a result', `cox.tasks.${id}.result`, ...nodes],
  ['set a timer', `cox.timers.set.${id}`, ...nodes],
  ['say that a timer is due', `cox.timers.due.${id}`],
  ['write a dead letter', `cox.dead.${id}.letter`, ...nodes],
  ['write an artifact', `cox.artifacts.${id}.c1.0.head`, ...nodes],
  ['write a note', '$KV.cox_memory.key', ...nodes],
  ['write live output', `cox.live.${id}`, ...nodes],
  ['tell what a machine does', `cox.inspect.${id}`, ...nodes],
  ['ask to be told what machines do', 'cox.inspect.wanted', ...roles],
  ['nudge', `cox.nudge.${id}`, 'operator', ...nodes],
  ['write the talk', 'cox.talk.l1.line', 'operator'],
  ['publish the list of members', 'cox.crew.members', 'supervisor'],
  ['read a stream', '$JS.API.STREAM.MSG.GET.cox_log', ...nodes],
  ['make a consumer', '$JS.API.CONSUMER.CREATE.cox_log.c1', ...nodes],
  ['take tickets', '$JS.API.CONSUMER.MSG.NEXT.cox_work.pending-reasoning', ...nodes],
  ['acknowledge', '$JS.ACK.cox_work.pending-reasoning.1.1.1.1.1', ...nodes],
  ['make a stream', '$JS.API.STREAM.CREATE.cox_log', 'supervisor'],
  ['change a stream', '$JS.API.STREAM.UPDATE.cox_log', 'supervisor'],
  ['purge a stream', '$JS.API.STREAM.PURGE.cox_log', 'supervisor'],
  ['delete a stream', '$JS.API.STREAM.DELETE.cox_log'],
  ['delete a message', '$JS.API.STREAM.MSG.DELETE.cox_log'],
  ['make a stream of another name', '$JS.API.STREAM.CREATE.mine'],
  ['ask the services', '$SRV.PING'],
  ['publish anything else', 'other.subject'],
];

const subscribing: readonly Row[] = [
  ['hear statuses', 'cox.tasks.*.*.status', ...roles],
  ['hear results', 'cox.tasks.*.*.result', ...roles],
  ['hear live output', 'cox.live.*.*', ...roles],
  ['hear the talk', 'cox.talk.*.line', 'console'],
  ['hear what machines do', 'cox.inspect.*.*', ...roles],
  ['hear who asks for it', 'cox.inspect.wanted', ...nodes],
  ['hear steers', 'cox.tasks.*.*.steering', ...nodes],
  ['hear everything', '>'],
  ['hear the list of members', 'cox.crew.members', ...nodes],
  ['answer for the crew', 'cox.api.status', ...nodes],
  ['take orders', 'cox.api.order', 'supervisor'],
  ['take outcomes', 'cox.api.outcome', 'supervisor'],
  ['hear replies to others', '_INBOX.>'],
  ['hear replies to another member', '_INBOX.somebody.>'],
  ['hear records', '$KV.cox_tasks.>'],
];

/** Whether the server takes it. It answers PING after it has answered everything before. */
async function isAllowed(nc: NatsConnection, act: () => void): Promise<boolean> {
  const denials: string[] = [];
  const watching = (async () => {
    for await (const status of nc.status()) if (status.type === 'error') denials.push(status.error.message);
  })();
  act();
  await nc.flush();
  await nc.flush();
  void watching;
  return !denials.some((denial) => /permissions violation/i.test(denial));
}

test('every verb of the service is for readers, for operators, for workers, or only for a crew of one user', () => {
  const withoutRoles = ['dispatch', 'deadRetry', ...steeringTypes];
  const listed = [...readVerbs, ...orderVerbs, ...relayVerbs, ...withoutRoles];
  expect(listed.sort()).toEqual(Object.keys(requests).sort());
});

describe.each([
  ['nkeys in the configuration of the server', false],
  ['decentralized JWTs', true],
])('with %s', (_, jwt) => {
  let crew: TeamCrew;
  const connections = new Map<Role, NatsConnection>();
  beforeAll(async () => {
    crew = await TeamCrew.start(Object.fromEntries(roles.map((role) => [role, [role]])), jwt);
    for (const role of roles) connections.set(role, await crew.connect(role));
  });
  afterAll(() => crew.stop());

  const allowedTo = async (act: (nc: NatsConnection) => void) => {
    const may: Role[] = [];
    for (const [role, nc] of connections) if (await isAllowed(nc, () => act(nc))) may.push(role);
    return may.sort();
  };

  test.each(publishing)('%s (%s)', async (_what, subject, ...may) => {
    expect(await allowedTo((nc) => nc.publish(subject, ''))).toEqual([...may].sort());
  });

  test.each(subscribing)('%s (%s)', async (_what, subject, ...may) => {
    const act = (nc: NatsConnection) => void nc.subscribe(subject, { callback: () => {} });
    expect(await allowedTo(act)).toEqual([...may].sort());
  });

  test('nobody logs in without a key of a member', async () => {
    const none = busAddress({ NATS_URL: crew.url })!;
    const stranger = addressOf({ url: crew.url, seed: newSigner('user').seed, jwt: undefined }, {});
    for (const to of [none, stranger])
      await expect(connectBus({ to, name: 'x', log: pino({ level: 'silent' }) })).rejects.toMatchObject({ code: 'nats-denied' });
  });

  test('a console logs in over a WebSocket alone', async () => {
    const file = { ...crew.member('console') };
    expect(file.list.members.at(-1)?.roles).toEqual(['console']);
    await expect(crew.join('console')).rejects.toMatchObject({ code: 'nats-denied' });
  });
});
