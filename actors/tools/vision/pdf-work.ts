/**
 * Reads pages of a PDF with pdfjs-dist: the text that is in the file, else the text of the page's picture. Scripts of a document
 * are never run: the package runs them only in a viewer, and there is none. Runs in the reader's process alone.
 */
import { join } from 'node:path';
import { beginningOf } from '../../../platform/cut.ts';
import { messageOf } from '../../../platform/errors.ts';
import { importFrom } from '../../../platform/package-set.ts';
import { type Canvas, canvasIn } from './canvas-work.ts';
import { openOcr } from './ocr-work.ts';
import { type DocumentPage, type DocumentText, maxOcrPages } from './reading.ts';

/** Pixels of the picture of a page: an A4 page with 150 dots an inch. */
const pagePixels = 2_200_000;
/** A page with fewer characters has a page number or a stamp as text, and its content as a picture. */
const fewChars = 16;
/** No page has more text that a model could use, in characters. */
const maxPageChars = 100_000;

interface TextItem {
  readonly str?: string;
  readonly hasEOL?: boolean;
}
interface PdfPage {
  getTextContent(): Promise<{ readonly items: readonly TextItem[] }>;
  getViewport(options: { readonly scale: number }): { readonly width: number; readonly height: number };
  render(options: { readonly canvas: Canvas; readonly viewport: unknown }): { readonly promise: Promise<void> };
  cleanup(): unknown;
}
interface PdfDocument {
  readonly numPages: number;
  getPage(page: number): Promise<PdfPage>;
}
interface PdfPackage {
  getDocument(options: object): { readonly promise: Promise<PdfDocument>; destroy(): Promise<void> };
}

export interface PdfSets {
  readonly documents: string;
  /** Left out: pages without text are not read. */
  readonly ocr?: string;
}

export async function pagesOf({ documents, ocr }: PdfSets, bytes: Uint8Array, wanted: readonly number[]): Promise<DocumentText> {
  const { getDocument } = (await importFrom(documents, 'pdfjs-dist/legacy/build/pdf.mjs')) as PdfPackage;
  const inPackage = (folder: string) => `${join(documents, 'node_modules/pdfjs-dist', folder)}/`;
  const task = getDocument({
    data: new Uint8Array(bytes),
    verbosity: 0,
    // Fonts and decoders come with the package; nothing is fetched.
    standardFontDataUrl: inPackage('standard_fonts'),
    cMapUrl: inPackage('cmaps'),
    wasmUrl: inPackage('wasm'),
    iccUrl: inPackage('iccs'),
    enableXfa: false,
    disableFontFace: true,
    useSystemFonts: false,
    maxImageSize: 50_000_000,
  });
  const reader = new PageReader(documents, ocr);
  try {
    const pdf = await task.promise.catch((cause: unknown) => {
      throw inWords(cause);
    });
    const read: DocumentPage[] = [];
    for (const page of wanted.filter((it) => it <= pdf.numPages))
      read.push(await reader.read(pdf, page).catch((cause) => ({ page, text: messageOf(cause), from: 'damaged' as const })));
    return { pages: pdf.numPages, read };
  } finally {
    await reader.close();
    await task.destroy();
  }
}

function inWords(cause: unknown): Error {
  const { name, message } = cause instanceof Error ? cause : { name: '', message: String(cause) };
  if (name === 'PasswordException') return new Error('it is encrypted, and needs a password, which no tool here can give');
  return new Error(`it is no PDF that can be read: ${message}`);
}

class PageReader {
  readonly #documents: string;
  readonly #ocr: string | undefined;
  #worker: Awaited<ReturnType<typeof openOcr>> | null = null;
  #byOcr = 0;

  constructor(documents: string, ocr: string | undefined) {
    this.#documents = documents;
    this.#ocr = ocr;
  }

  async read(pdf: PdfDocument, number: number): Promise<DocumentPage> {
    const page = await pdf.getPage(number);
    try {
      const layer = await layerOf(page);
      if (layer.replace(/\s/g, '').length >= fewChars) return { page: number, text: layer, from: 'layer' };
      if (!this.#ocr || this.#byOcr >= maxOcrPages) return { page: number, text: layer, from: 'not-read' };
      this.#byOcr++;
      this.#worker ??= await openOcr(this.#ocr);
      const { text } = await this.#worker.read(await this.#picture(page));
      if (text) return { page: number, text: beginningOf(text, maxPageChars), from: 'ocr' };
      return { page: number, text: layer, from: layer ? 'layer' : 'none' };
    } finally {
      page.cleanup();
    }
  }

  async close(): Promise<void> {
    await this.#worker?.close();
  }

  async #picture(page: PdfPage): Promise<Uint8Array> {
    const { createCanvas } = await canvasIn(this.#documents);
    const natural = page.getViewport({ scale: 1 });
    const viewport = page.getViewport({ scale: Math.min(8, Math.sqrt(pagePixels / (natural.width * natural.height))) });
    const [width, height] = [viewport.width, viewport.height].map((it) => Math.max(1, Math.floor(it)));
    const canvas = createCanvas(width!, height!);
    const context = canvas.getContext('2d');
    context.fillStyle = '#fff';
    context.fillRect(0, 0, width!, height!);
    await page.render({ canvas, viewport }).promise;
    return canvas.encode('png');
  }
}

async function layerOf(page: PdfPage): Promise<string> {
  const { items } = await page.getTextContent();
  let text = '';
  for (const { str = '', hasEOL } of items) {
    text += hasEOL ? `${str}\n` : str;
    if (text.length > maxPageChars) break;
  }
  return beginningOf(text, maxPageChars).trim();
}
