/** A kind whose calls store something that says which node has made it. */
import { z } from 'zod';
import { defineKind } from '../../actors/kinds/define-kind.ts';
import type { Kind } from '../../actors/kinds/kind.ts';
import { defineTool } from '../../actors/tools/tool.ts';

const shoot = (name: 'look' | 'shoot', node: string) =>
  defineTool({
    name,
    description: 'Stores a picture.',
    args: z.object({ of: z.string() }),
    effects: name === 'look' ? 'none' : 'idempotent',
    run: async ({ of }, { store }) => {
      const { ref } = await store!({ name: `${of}.txt`, type: 'text/plain', bytes: Buffer.from(`${of}, by ${node}`) });
      return { text: `a picture of ${of} is ${ref}` };
    },
  });

/** Its code makes another call on each node. It starts without a commit. */
export const guide = (node: string): Kind =>
  defineKind({
    name: 'guide',
    tools: [shoot('look', node)],
    think: ({ step }) => (step > 1 ? 'done' : { text: '', calls: [{ tool: 'look', args: { of: `what ${node} sees` } }] }),
  });

export const camera = (node: string): Kind =>
  defineKind({ name: 'camera', prompt: 'You take pictures.', tools: [shoot('look', node), shoot('shoot', node)] });
