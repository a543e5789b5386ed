import { basename } from 'node:path';
import { z } from 'zod';
import { defineTool, type Tool } from '../tool.ts';
import { pictureHead } from './format.ts';
import { textFound } from './read-image-text.ts';
import type { Reader } from './reader.ts';
import { openSource, Source } from './source.ts';

export const lookAtName = 'look_at';

/** Shows a picture to the model; where its backend takes none, the text in the picture. */
export const lookAt = (reader: Reader): Tool =>
  defineTool({
    name: lookAtName,
    description:
      'Look at a picture: a PNG, JPEG, WebP, GIF, BMP or AVIF file, or an artifact such as a screenshot. If you cannot see pictures, you get the text in it.',
    args: z.object({ picture: Source }),
    effects: 'none',
    target: ({ picture }) => picture,
    run: async ({ picture }, context) => {
      const { name, bytes, ref } = await openSource(picture, context);
      const { type, width, height } = await pictureHead(name, bytes);
      if (!context.sees) {
        const text = await textFound(reader, name, bytes, context.signal);
        return {
          text: `You cannot see ${name}: no backend that takes pictures does this task. Its text was read by OCR instead; what is not text in it is not known. Say so in your answer.\n${text}`,
          sources: [name],
        };
      }
      const shown = ref ?? (await context.store?.({ name: basename(name), type, bytes }))?.ref;
      if (shown === undefined) throw new Error(`${name} cannot be shown here; use read_image_text`);
      const words = `${name} is shown to you${ref === null ? ` as ${shown}` : ''}: ${type}, ${width} × ${height} pixels.`;
      return { text: words, images: [shown], sources: [name] };
    },
  });
