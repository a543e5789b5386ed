/** `cox worker`: runs a node for an existing crew, on this machine or at NATS_URL. Starts no server. */
import { headless } from '../headless.ts';

export const run = headless({ start: false });
