import { z } from 'zod';
import { defineTool } from '../tool.ts';
import { resolveInside } from '../workspace.ts';
import { withFile } from './open-file.ts';
import { asTarget, explain, FilePath } from './paths.ts';
import { type EncodedFile, encodedFile } from './text-blocks.ts';
import { formInWords, lineEndsOf } from './text-form.ts';
import { type TextPart, textPart } from './text-part.ts';

export const readFileTool = defineTool({
  name: 'read_file',
  description: 'Read a text file of the workspace. A long one is read in parts.',
  args: z.object({
    path: FilePath,
    line: z.int().optional().describe('First line, from 1; -50: the last 50 lines.'),
    lines: z.int().positive().optional().describe('Most lines.'),
    offset: z.int().nonnegative().optional().describe('Byte to go on at, as the last part said.'),
  }),
  effects: 'none',
  target: ({ path }) => asTarget(path),
  run: async ({ path, ...place }, { workspace, signal }) => {
    try {
      const file = await resolveInside(workspace, path);
      const text = await withFile(file, async (open) => {
        const encoded = await encodedFile(open);
        return inWords(await textPart(encoded, place, signal), encoded);
      });
      return { text, sources: [file.name] };
    } catch (cause) {
      throw await explain(path, cause, workspace);
    }
  },
});

/** The part, and below it what a reader of the part cannot see: where it is, how to go on, and an unusual form. */
function inWords({ text, from, to, line, encoding }: TextPart, { size, bomBytes, isCr }: EncodedFile): string {
  const lineEnds = isCr ? 'cr' : lineEndsOf(text);
  const form = formInWords({ encoding, bom: bomBytes > 0, lineEnds });
  const remarks = [...(from > bomBytes || to < size ? [whereOf({ text, from, to, line }, size)] : []), ...(form ? [form] : [])];
  const plain = lineEnds === 'crlf' ? text.replaceAll('\r\n', '\n') : text;
  // A large log may have zero bytes where its machine was switched off.
  const words = plain.replaceAll('\0', '␀').toWellFormed() || '(the file is empty)';
  return remarks.length > 0 ? `${words}${words.endsWith('\n') ? '' : '\n'}[${remarks.join('; ')}]` : words;
}
function whereOf({ text, from, to, line }: Pick<TextPart, 'text' | 'from' | 'to' | 'line'>, size: number): string {
  const count = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  const lines = line === null ? '' : `lines ${line} to ${line + count - 1}, `;
  return `${lines}bytes ${from} to ${to} of ${size}; ${to < size ? `go on with offset ${to}` : 'the end of the file'}`;
}
