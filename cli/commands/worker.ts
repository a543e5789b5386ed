/** `cox worker`: a pair of hands for a crew that is there, on this machine or behind NATS_URL. */
import { headless } from '../headless.ts';

export const run = headless({ start: false });
