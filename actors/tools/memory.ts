/** Tools for notes that agents share across tasks. A kind has these tools if the roster names them. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Memory, maxKeyChars, maxNoteChars } from '../../bus/shared-memory.ts';
import { beginningOf } from '../../platform/cut.ts';
import { defineTool, type Tool } from './tool.ts';

export const memoryTools = (memory: Memory): Tool[] => [
  defineTool({
    name: 'remember',
    description: 'Note a fact for later and for other agents, under a short key.',
    args: z.object({
      key: z.string().min(1).max(maxKeyChars).describe('What it is about: work-email.'),
      text: z.string().min(1).max(maxNoteChars),
    }),
    effects: 'idempotent',
    run: async ({ key, text }, { task }) => {
      const slug = slugOf(key);
      await memory.remember(slug, text, task);
      return { text: `Noted as ${slug}.` };
    },
  }),
  defineTool({
    name: 'recall',
    description: 'Find what was noted earlier, by words.',
    args: z.object({ query: z.string().max(256) }),
    effects: 'none',
    run: async ({ query }) => {
      const notes = await memory.recall(query);
      if (notes.length === 0) return { text: `Nothing is noted about "${query}".` };
      return { text: notes.map(({ key, text, from: by }) => `- ${key}: ${text} (noted by ${by})`).join('\n') };
    },
  }),
];

/**
 * Makes a valid key, because models write keys as plain words, such as "Work email". Letters that a key may not have are told apart
 * by a hash, so that notes in other scripts do not replace each other.
 */
function slugOf(key: string): string {
  const plain = key.normalize('NFC').trim().toLowerCase();
  const slug = plain
    .replaceAll(/[^a-z0-9_.-]+/g, '-')
    .replaceAll(/\.(?=\.|$)/g, '')
    .replaceAll(/^[^a-z0-9]+|-{1,40}$/g, '');
  if (!/[^\p{ASCII}]/u.test(plain)) return slug;
  const hash = createHash('sha256').update(plain).digest('hex').slice(0, 8);
  return [beginningOf(slug, maxKeyChars - hash.length - 1), hash].filter(Boolean).join('-');
}
