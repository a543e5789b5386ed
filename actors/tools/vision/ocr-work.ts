/** Reads text from pictures with tesseract.js and its English data, offline. Runs in the reader's process alone. */
import { join } from 'node:path';
import { importFrom } from '../../../platform/package-set.ts';
import { drawn } from './canvas-work.ts';
import type { PageText, Readings, Word } from './reading.ts';

/** Larger pictures are scaled down first: they take minutes and are not read better. */
export const maxOcrPixels = 16_000_000;

interface Bounds {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}
interface Recognized {
  readonly text: string;
  readonly confidence: number;
  readonly blocks:
    | readonly {
        readonly paragraphs: readonly {
          readonly lines: readonly { readonly words: readonly { readonly text: string; readonly bbox: Bounds }[] }[];
        }[];
      }[]
    | null;
}
interface Tesseract {
  createWorker(
    languages: string,
    mode: number,
    options: object,
  ): Promise<{
    setParameters(parameters: object): Promise<unknown>;
    recognize(image: Uint8Array, options: object, output: object): Promise<{ readonly data: Recognized }>;
    terminate(): Promise<unknown>;
  }>;
}

/** Formats that tesseract.js decodes itself. */
const ownFormats: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/bmp']);

/** Whether the picture must be decoded by @napi-rs/canvas first. */
export const needsCanvas = ({ type, pixels, turned }: Omit<Readings['text']['asks'], 'bytes'>): boolean =>
  !ownFormats.has(type) || pixels > maxOcrPixels || turned;

/** A worker of tesseract.js, to read several pictures. @param isSparse the text stands here and there, as in a form. */
export async function openOcr(
  folder: string,
  isSparse = false,
): Promise<{ read(bytes: Uint8Array): Promise<PageText>; close(): Promise<void> }> {
  const imported = (await importFrom(folder, 'tesseract.js')) as { default?: Tesseract } & Tesseract;
  const { createWorker } = imported.default ?? imported;
  const langPath = join(folder, 'node_modules/@tesseract.js-data/eng/4.0.0_best_int');
  // 1 is the reader by neural network, for which the data are.
  const worker = await createWorker('eng', 1, {
    langPath,
    gzip: true,
    cacheMethod: 'none',
    logger: () => {},
    errorHandler: () => {},
  });
  // Tesseract's segmentation 11: as much text as there is, in no order of columns.
  if (isSparse) await worker.setParameters({ tessedit_pageseg_mode: '11' });
  return {
    async read(bytes) {
      const { data } = await worker.recognize(Buffer.from(bytes), {}, { text: true, blocks: true }).catch((cause: unknown) => {
        throw new Error(`the picture cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`);
      });
      const lines = (data.blocks ?? []).flatMap(({ paragraphs }) =>
        paragraphs.flatMap((paragraph) => paragraph.lines.map(({ words }) => words.map(wordOf))),
      );
      return { text: data.text.trim(), confidence: Math.round(data.confidence), lines };
    },
    async close() {
      await worker.terminate();
    },
  };
}

const wordOf = ({ text, bbox: { x0, y0, x1, y1 } }: { readonly text: string; readonly bbox: Bounds }): Word => ({
  text,
  x: x0,
  y: y0,
  width: x1 - x0,
  height: y1 - y0,
});

export async function textOf(
  sets: { readonly ocr: string; readonly pictures?: string },
  picture: Readings['text']['asks'],
): Promise<PageText> {
  const ocr = await openOcr(sets.ocr);
  try {
    if (!needsCanvas(picture)) return await ocr.read(picture.bytes);
    const canvas = await drawn(sets.pictures!, picture.bytes, { side: 16_384, pixels: maxOcrPixels });
    return await ocr.read(await canvas.encode('png'));
  } finally {
    await ocr.close();
  }
}
