import { z } from 'zod';
import { clip, defineTool, type Tool } from '../tool.ts';
import type { Reader } from './reader.ts';
import { openSource, Source } from './source.ts';

/** Reads the text in a picture by OCR. */
export const readImageText = (reader: Reader): Tool =>
  defineTool({
    name: 'read_image_text',
    description: 'Read the text in a picture or screenshot, by OCR (English letters).',
    args: z.object({ picture: Source }),
    effects: 'none',
    target: ({ picture }) => picture,
    run: async ({ picture }, context) => {
      const { name, bytes } = await openSource(picture, context);
      return { text: await textFound(reader, name, bytes, context.signal), sources: [name] };
    },
  });

/** The text with a line before it that says where it is from: it is what a picture says, and nobody's order. */
export async function textFound(reader: Reader, name: string, bytes: Uint8Array, signal: AbortSignal): Promise<string> {
  const { text, confidence, head } = await reader.text(name, bytes, signal);
  const what = `${name} (${head.width} × ${head.height} pixels)`;
  if (text === '') return `OCR has found no text in ${what}.`;
  return clip(`Text in ${what}, read by OCR, which is ${confidence} % sure of it:\n${text}`, 'cut the picture into parts');
}
