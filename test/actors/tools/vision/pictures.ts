/** Pictures and documents for tests, made byte by byte where a decoder would not make them. */
import { readFileSync } from 'node:fs';
import { crc32, deflateSync } from 'node:zlib';

/** A screenshot of a form in Chromium: 860 × 720 pixels. */
export const contactForm = (): Buffer => readFileSync(new URL('./contact-form.png', import.meta.url));

/** A screenshot of check boxes in Chromium, of two sizes, beside letters and a bullet that look alike: 700 × 420 pixels. */
export const checkBoxes = (): Buffer => readFileSync(new URL('./check-boxes.png', import.meta.url));

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.byteLength);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

/** @param grey the value of a pixel. @param claims the size in the header. */
function greyPng(width: number, height: number, grey: () => number, claims = { width, height }, data?: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(claims.width, 0);
  header.writeUInt32BE(claims.height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  const rows = Buffer.alloc((width + 1) * height);
  for (let i = 0; i < rows.length; i++) rows[i] = i % (width + 1) === 0 ? 0 : grey();
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', data ?? deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A PNG of one grey. */
export const png = (width: number, height: number, claims?: { width: number; height: number }): Buffer =>
  greyPng(width, height, () => 0x80, claims);

/** A PNG whose chunks are as they must be, with nonsense where the pixels belong. */
export const brokenPng = (): Buffer => greyPng(40, 40, () => 0, undefined, Buffer.from('nothing that unpacks'));

/** A PNG as a camera makes it: with grain, which PNG keeps and JPEG does not. */
export function grain(width: number, height: number): Buffer {
  let seed = 1;
  return greyPng(width, height, () => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
    return 120 + ((seed >> 8) % 16);
  });
}

/** A PNG in which OCR looks for letters for a long time. */
export function noise(width: number, height: number): Buffer {
  let seed = 1;
  return greyPng(width, height, () => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
    return seed % 3 === 0 ? 0 : 255;
  });
}

/** A JPEG with a mark of EXIF that says how the camera was held. */
export function withOrientation(jpeg: Buffer, orientation: number): Buffer {
  const entry = Buffer.alloc(26);
  entry.write('II*\0', 0, 'latin1');
  entry.writeUInt32LE(8, 4);
  entry.writeUInt16LE(1, 8);
  entry.writeUInt16LE(0x0112, 10);
  entry.writeUInt16LE(3, 12);
  entry.writeUInt32LE(1, 14);
  entry.writeUInt16LE(orientation, 18);
  const body = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), entry]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(body.length + 2);
  return Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xff, 0xe1]), length, body, jpeg.subarray(2)]);
}

/** A GIF of 2 × 1 pixels with two pictures: first black, then white. */
export function animatedGif(): Buffer {
  const picture = (data: readonly number[]) => [
    ...[0x21, 0xf9, 4, 0, 10, 0, 0, 0],
    ...[0x2c, 0, 0, 0, 0, 2, 0, 1, 0, 0],
    ...[2, data.length, ...data, 0],
  ];
  return Buffer.from([
    ...Buffer.from('GIF89a'),
    ...[2, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255],
    ...picture([0x04, 0x0a]),
    ...picture([0x4c, 0x0a]),
    0x3b,
  ]);
}

export interface PdfPage {
  /** Lines of text in the file. */
  readonly text?: readonly string[];
  /** A JPEG or nothing that fills the page. */
  readonly jpeg?: { readonly bytes: Buffer; readonly width: number; readonly height: number };
}

/** A PDF with these pages. @param catalog more entries of the catalog, such as an action. */
export function pdf(pages: readonly PdfPage[], catalog = '', trailer = ''): Buffer {
  const objects: Buffer[] = [];
  const add = (body: string | Buffer): number => objects.push(Buffer.isBuffer(body) ? body : Buffer.from(body, 'latin1'));
  add(`<< /Type /Catalog /Pages 2 0 R ${catalog} >>`);
  add('');
  add('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>');
  const stream = (dictionary: string, data: Buffer) =>
    Buffer.concat([Buffer.from(`<< ${dictionary} /Length ${data.length} >>\nstream\n`), data, Buffer.from('\nendstream')]);
  const kids = pages.map(({ text = [], jpeg }) => {
    const image = jpeg
      ? add(
          stream(
            `/Type /XObject /Subtype /Image /Width ${jpeg.width} /Height ${jpeg.height} /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode`,
            jpeg.bytes,
          ),
        )
      : null;
    const lines = text.map((line, i) => `BT /F1 12 Tf 40 ${740 - 16 * i} Td (${line.replace(/[()\\]/g, '\\$&')}) Tj ET`);
    const content = add(
      stream(
        '',
        Buffer.from(
          [...lines, ...(image ? [`q 595 0 0 ${(595 * jpeg!.height) / jpeg!.width} 0 400 cm /I1 Do Q`] : [])].join('\n'),
        ),
      ),
    );
    const resources = `<< /Font << /F1 3 0 R >> ${image ? `/XObject << /I1 ${image} 0 R >>` : ''} >>`;
    return add(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources ${resources} /Contents ${content} 0 R >>`);
  });
  objects[1] = Buffer.from(`<< /Type /Pages /Count ${kids.length} /Kids [${kids.map((kid) => `${kid} 0 R`).join(' ')}] >>`);
  const parts = [Buffer.from('%PDF-1.7\n')];
  const offsets: number[] = [];
  let at = parts[0]!.length;
  for (const [i, body] of objects.entries()) {
    const whole = Buffer.concat([Buffer.from(`${i + 1} 0 obj\n`), body, Buffer.from('\nendobj\n')]);
    offsets.push(at);
    at += whole.length;
    parts.push(whole);
  }
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  parts.push(
    Buffer.from(
      `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R ${trailer} >>\nstartxref\n${at}\n%%EOF\n`,
    ),
  );
  return Buffer.concat(parts);
}
