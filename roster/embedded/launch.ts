/** The words between the runtime and its model process: one line of JSON each way, then silence. */
import { z } from 'zod';

/**
 * On the child's stdin, which then stays open: it closes when the parent is gone, however it went, and the child goes too.
 * The key is here and not among the arguments or in the environment, where other processes can read it.
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

/** On the child's stdout, once. */
export const Launched = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), port: z.int().positive(), contextTokens: z.int().positive() }),
  z.object({
    type: z.literal('failed'),
    code: z.enum(['platform-unsupported', 'out-of-memory', 'model-unusable']),
    message: z.string(),
  }),
]);
export type Launched = z.infer<typeof Launched>;
