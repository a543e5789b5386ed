/** The protocol between the runtime and its model process: one line of JSON in each direction, and nothing after it. */
import { z } from 'zod';

/**
 * The line on the child's stdin. The pipe then stays open; it closes when the parent ends in any way, and then the child ends
 * too. The key is sent here because other processes can read the arguments and the environment.
 */
export const Launch = z.object({
  modelPath: z.string(),
  modelName: z.string(),
  threads: z.int().positive(),
  contextTokens: z.int().positive(),
  gpu: z.boolean(),
  key: z.string().min(16),
});
export type Launch = z.infer<typeof Launch>;

/** The only line on the child's stdout. */
export const Launched = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), port: z.int().positive(), contextTokens: z.int().positive() }),
  z.object({
    type: z.literal('failed'),
    code: z.enum(['platform-unsupported', 'out-of-memory', 'model-unusable']),
    message: z.string(),
  }),
]);
export type Launched = z.infer<typeof Launched>;
