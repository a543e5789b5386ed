/**
 * A nats-server whose disk was full once stores nothing any more, also when there is room again (bus/capacity/write-stall.ts). The embedded one is restarted
 * then, with its data, by whoever of its terminals notices first.
 */
import { statfs } from 'node:fs/promises';
import type { Log } from '../../platform/log.ts';
import type { EmbeddedServer } from './embedded-server.ts';

/** Less would soon be used up again. */
const leastBytes = 16_000_000;

/** @param folder on the disk that the server stores on. */
export async function revive(server: EmbeddedServer, folder: string, log: Log): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  if (freeBytes < leastBytes) {
    log.error({ folder, freeBytes }, 'the disk of the embedded server is full: it will be restarted once there is room');
    return;
  }
  log.warn({ server: server.pid, freeBytes }, 'the embedded server stores nothing any more: restarting it');
  await server.renew();
}
