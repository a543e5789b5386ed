/**
 * Once its disk has filled, nats-server acknowledges no write until it is restarted (bus/capacity/write-stall.ts). The first
 * terminal that notices this restarts the embedded server with its data, if the disk has free space again.
 */
import { statfs } from 'node:fs/promises';
import type { Log } from '../../platform/log.ts';
import type { EmbeddedServer } from './embedded-server.ts';

/** Least free space in bytes for a restart. With less, the disk would soon be full again. */
const leastBytes = 16_000_000;

/** @param folder a folder on the disk that the server stores its data on. */
export async function revive(server: EmbeddedServer, folder: string, log: Log): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const freeBytes = bavail * bsize;
  if (freeBytes < leastBytes) {
    log.error({ folder, freeBytes }, 'the disk of the embedded server is full: the server is restarted once there is free space');
    return;
  }
  log.warn({ server: server.pid, freeBytes }, 'the embedded server has stopped storing messages: restarting it');
  await server.renew();
}
