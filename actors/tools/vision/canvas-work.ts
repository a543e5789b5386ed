/** Decodes, scales and writes pictures with @napi-rs/canvas. Runs in the reader's process alone. */
import { inflateSync } from 'node:zlib';
import { importFrom } from '../../../platform/package-set.ts';
import { maxPixels } from './format.ts';
import type { Limits, Scaled } from './reading.ts';

/** The part of the package that is used. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  getContext(kind: '2d'): {
    fillStyle: string;
    fillRect(x: number, y: number, width: number, height: number): void;
    drawImage(image: unknown, x: number, y: number, width: number, height: number): void;
    getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
  };
  encode(type: 'png'): Promise<Uint8Array>;
  encode(type: 'jpeg', quality: number): Promise<Uint8Array>;
}
interface CanvasPackage {
  createCanvas(width: number, height: number): Canvas;
  loadImage(bytes: Uint8Array): Promise<{ readonly width: number; readonly height: number }>;
}

export const canvasIn = (folder: string): Promise<CanvasPackage> =>
  importFrom(folder, '@napi-rs/canvas') as Promise<CanvasPackage>;

/** The picture on a white ground, at most so large. Of an animation it is the first picture. */
export async function drawn(folder: string, bytes: Uint8Array, { side, pixels }: Omit<Limits, 'bytes'>): Promise<Canvas> {
  const { createCanvas, loadImage } = await canvasIn(folder);
  mustUnpack(bytes);
  const image = await loadImage(Buffer.from(bytes)).catch((cause: unknown) => {
    throw new Error(`the picture cannot be decoded: it is damaged (${cause instanceof Error ? cause.message : cause})`);
  });
  const { width, height } = image;
  const factor = Math.min(1, side / Math.max(width, height), Math.sqrt(pixels / (width * height)));
  const canvas = createCanvas(Math.max(1, Math.floor(width * factor)), Math.max(1, Math.floor(height * factor)));
  const context = canvas.getContext('2d');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** The decoder draws nothing where the pixels of a PNG are damaged, and reports no error. @throws Error */
function mustUnpack(bytes: Uint8Array): void {
  const data = Buffer.from(bytes);
  if (data.toString('latin1', 1, 4) !== 'PNG') return;
  const parts: Buffer[] = [];
  for (let at = 8; at + 8 <= data.length; at += 12 + data.readUInt32BE(at))
    if (data.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(data.subarray(at + 8, at + 8 + data.readUInt32BE(at)));
  try {
    inflateSync(Buffer.concat(parts), { maxOutputLength: 9 * maxPixels });
  } catch {
    throw new Error('the picture cannot be decoded: it is damaged');
  }
}

/** PNG keeps text sharp; JPEG is smaller. */
export async function scaled(folder: string, bytes: Uint8Array, to: Limits): Promise<Scaled> {
  let limits = to;
  for (;;) {
    const canvas = await drawn(folder, bytes, limits);
    const { width, height } = canvas;
    const png = await canvas.encode('png');
    if (png.byteLength <= to.bytes) return { type: 'image/png', width, height, bytes: png };
    for (const quality of [90, 70]) {
      const jpeg = await canvas.encode('jpeg', quality);
      if (jpeg.byteLength <= to.bytes) return { type: 'image/jpeg', width, height, bytes: jpeg };
    }
    if (width * height < 10_000) throw new Error(`the picture cannot be made smaller than ${to.bytes} bytes`);
    limits = { ...limits, pixels: Math.floor((width * height) / 2) };
  }
}
