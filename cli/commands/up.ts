/** `cox up`: runs a node without a prompt. Starts the bus if none runs. */
import { headless } from '../headless.ts';

export const run = headless({ start: true });
