/** `cox up`: a whole node without a prompt; starts the bus where none runs. */
import { headless } from '../headless.ts';

export const run = headless({ start: true });
