import { z } from 'zod';
import type { Tool } from './tool.ts';
import { askingTool } from './tool-problem.ts';

/** Every kind has this tool. The task is parked until the operator answers. */
export const askOperator: Tool = {
  name: askingTool,
  description: 'Ask the operator a question, only if you cannot go on without the answer.',
  args: z.object({
    question: z.string().min(1).max(2000),
    choices: z
      .array(z.string().min(1).max(200))
      .max(8)
      .optional()
      .describe('Answers to choose from, where there are only a few')
      .catch(undefined),
  }),
  effects: 'none',
  asks: true,
  run: () => Promise.reject(new Error('a question is answered by the operator')),
};
