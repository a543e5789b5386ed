/** Reads a long text that a task of the same tree has stored, piece by piece. */
import { z } from 'zod';
import { beginningOf } from '../../platform/cut.ts';
import { defineTool, type Making, maxOutputChars } from './tool.ts';

export const readArtifactTool = defineTool({
  name: 'read_artifact',
  description: 'Read a stored text, such as the whole of a long result, in pieces.',
  args: z.object({
    ref: z.string().max(256).describe('The ref, such as k3xq.1/result/output-0123456789abcdef.'),
    offset: z.int().nonnegative().optional().describe('Character to go on at, as the last piece said.'),
  }),
  effects: 'none',
  target: ({ ref }) => ref,
  run: async ({ ref, offset = 0 }, { artifact }) => {
    if (!artifact) throw new Error('artifacts cannot be read here');
    const made = await artifact(ref);
    return { text: piece(textOf(made, ref), offset), sources: [ref] };
  },
});

/** @throws Error for what is no text. */
function textOf({ type, bytes }: Making, ref: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Error(`${ref} is ${type} and no text; its ${bytes.byteLength} bytes cannot be read in this way`);
  }
}

function piece(text: string, offset: number): string {
  if (offset >= text.length && offset > 0) throw new Error(`the text has only ${text.length} characters`);
  const shown = beginningOf(text.slice(offset), maxOutputChars);
  const end = offset + shown.length;
  if (offset === 0 && end === text.length) return shown || '(the text is empty)';
  const next = end < text.length ? `go on with offset ${end}` : 'the end of the text';
  return `${shown}\n[characters ${offset} to ${end} of ${text.length}; ${next}]`;
}
