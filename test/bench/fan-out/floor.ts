/**
 * The minimum that any durable fan-out does, in raw JetStream: publish a ticket, pull it, store a result, ack. Pipelined, with
 * payloads of our sizes: 300 bytes for a ticket, 1,500 for a state with its result.
 */
import { jetstreamManager } from '@nats-io/jetstream';
import type { CrewSession } from '../../../actors/node/join.ts';

/** @returns Microseconds per sub-task. */
export async function floor({ bus: { nc, js } }: CrewSession, size: number): Promise<number> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  await jsm.streams.add({ name: 'floor', subjects: ['floor.work.*'], retention: 'workqueue' });
  await jsm.streams.add({ name: 'floor-state', subjects: ['floor.state.*'], max_msgs_per_subject: 1 });
  await jsm.consumers.add('floor', { durable_name: 'all', ack_policy: 'explicit', max_ack_pending: -1 });
  const [ticket, state] = ['t'.repeat(300), 's'.repeat(1_500)];
  const from = performance.now();
  const consumer = await js.consumers.get('floor', 'all');
  const published = Promise.all(Array.from({ length: size }, (_, i) => js.publish(`floor.work.${i}`, ticket)));
  const stored: Promise<unknown>[] = [];
  const messages = await consumer.consume({ max_messages: 1_000 });
  for await (const message of messages) {
    stored.push(js.publish(`floor.state.${message.subject.split('.')[2]}`, state).then(() => message.ack()));
    if (stored.length === size) break;
  }
  await Promise.all([published, ...stored]);
  await nc.flush();
  const tookUs = (performance.now() - from) * 1000;
  await messages.close();
  await jsm.streams.delete('floor');
  await jsm.streams.delete('floor-state');
  return tookUs / size;
}
