import { z } from 'zod';
import { clip, defineTool, type Tool } from '../tool.ts';
import { headOf } from './format.ts';
import { pageNumbers } from './page-numbers.ts';
import { textFound } from './read-image-text.ts';
import type { Reader } from './reader.ts';
import { type DocumentPage, maxOcrPages } from './reading.ts';
import { openSource, Source } from './source.ts';

export const readDocumentName = 'read_document';

const fromWhere: Readonly<Record<DocumentPage['from'], string>> = {
  layer: '',
  ocr: ', read by OCR from its picture',
  none: ', without text',
  damaged: ', which cannot be read',
  'not-read': `, a picture that was not read: at most ${maxOcrPages} are in one call`,
};

/** Reads pages of a PDF, or the text of a picture. */
export const readDocument = (reader: Reader): Tool =>
  defineTool({
    name: readDocumentName,
    description:
      'Read a document: pages of a PDF (the text in it, or by OCR where a page is a picture), or the text of a picture.',
    args: z.object({
      document: Source,
      pages: z
        .string()
        .max(100)
        .optional()
        .describe('Pages of a PDF, such as 1-5 or 2,7,9. At most 20 in one call. Default: 1-5.'),
    }),
    effects: 'none',
    target: ({ document }) => document,
    run: async ({ document, pages }, context) => {
      const wanted = pageNumbers(pages);
      const { name, bytes } = await openSource(document, context);
      const { kind } = await headOf(name, bytes);
      if (kind === 'picture') return { text: await textFound(reader, name, bytes, context.signal), sources: [name] };
      const found = await reader.document(bytes, wanted, context.signal).catch((cause: unknown) => {
        throw new Error(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`);
      });
      if (found.read.length === 0) throw new Error(`${name} has ${found.pages} pages, and none of ${pages}`);
      const parts = found.read.map(({ page, text, from }) => `--- page ${page} of ${found.pages}${fromWhere[from]} ---\n${text}`);
      const missing =
        found.pages > Math.max(...wanted) ? `\n[There are more pages: go on with pages ${Math.max(...wanted) + 1}-…]` : '';
      return { text: clip(`${name}\n${parts.join('\n')}`, 'ask for fewer pages') + missing, sources: [name] };
    },
  });
