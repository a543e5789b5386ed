import { z } from 'zod';
import { clip, defineTool, type Tool } from '../tool.ts';
import type { Reader } from './reader.ts';
import { openSource, Source } from './source.ts';

/** Reads the fields of a form from a screenshot: by OCR and by the frames of the fields, without a model. */
export const readForm = (reader: Reader): Tool =>
  defineTool({
    name: 'read_form',
    description:
      'Read the fields of a form from a screenshot: label, value and box (pixels) of each; the value of a check box is checked or unchecked. It finds fields by their frames and by labels with a colon; it knows no round buttons and no lists, and takes the grey hint in an empty field for its value.',
    args: z.object({ picture: Source }),
    effects: 'none',
    target: ({ picture }) => picture,
    run: async ({ picture }, context) => {
      const { name, bytes } = await openSource(picture, context);
      const fields = await reader.fields(name, bytes, context.signal);
      const text =
        fields.length === 0
          ? `No field was found in ${name}. Use read_image_text to read what is there.`
          : `Fields in ${name}, read by OCR:\n${fields.map((field) => JSON.stringify(field)).join('\n')}`;
      return { text: clip(text, 'cut the picture into parts'), sources: [name] };
    },
  });
