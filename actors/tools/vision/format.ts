/**
 * Formats of pictures and documents, told by their content and never by their name. A header is checked before anything is decoded,
 * so that a picture that would unpack to gigabytes is refused. Decoding is done in a process of its own (reader.ts).
 */

/** Largest file that is read, in bytes. */
export const maxFileBytes = 50_000_000;
/** Most pixels of a picture: decoded, they take four bytes each. */
export const maxPixels = 50_000_000;
/** Formats that a reader can decode. */
const pictureTypes: ReadonlySet<string> = new Set([
  'image/png',
  'image/apng',
  'image/jpeg',
  'image/webp',
  'image/gif',
  'image/bmp',
  'image/avif',
]);
/** As much of a file as tells its format. */
const headBytes = 4_100;

export interface PictureHead {
  readonly kind: 'picture';
  /** MIME type. */
  readonly type: string;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** The camera was turned, and the file says so: a decoder turns the picture. */
  readonly turned?: true;
}
export type Head = PictureHead | { readonly kind: 'pdf' };

/**
 * @param name names the file in errors.
 * @throws Error for the model to read, if it is neither a picture that can be decoded nor a PDF.
 */
export async function headOf(name: string, bytes: Uint8Array): Promise<Head> {
  if (bytes.byteLength === 0) throw new Error(`${name} is empty`);
  if (bytes.byteLength > maxFileBytes)
    throw new Error(`${name} has ${bytes.byteLength} bytes; at most ${maxFileBytes} are read. Use a smaller one.`);
  const { fileTypeFromBuffer } = await import('file-type');
  const found = await fileTypeFromBuffer(bytes.subarray(0, headBytes)).catch(() => undefined);
  if (found?.mime === 'application/pdf') return { kind: 'pdf' };
  if (!found || !pictureTypes.has(found.mime)) throw strange(name, bytes, found?.mime);
  const { width, height, turned } = await sizeOf(name, found.mime, bytes);
  if (width * height > maxPixels)
    throw new Error(
      `${name} would have ${width} × ${height} pixels when decoded; at most ${maxPixels} are. Make it smaller with another program first.`,
    );
  if (!isWhole(found.mime, bytes)) throw new Error(`${name} is cut off: the end of the picture is missing. Get the file again.`);
  const type = found.mime === 'image/apng' ? 'image/png' : found.mime;
  return { kind: 'picture', type, width, height, ...(turned && { turned }) };
}

/** As `headOf`, for what must be a picture. */
export async function pictureHead(name: string, bytes: Uint8Array): Promise<PictureHead> {
  const head = await headOf(name, bytes);
  if (head.kind === 'pdf') throw new Error(`${name} is a PDF and no picture; use read_document`);
  return head;
}

async function sizeOf(name: string, type: string, bytes: Uint8Array): Promise<Pick<PictureHead, 'width' | 'height' | 'turned'>> {
  const { imageSize } = await import('image-size');
  try {
    const { width, height, orientation = 1 } = imageSize(bytes);
    // EXIF: from 5 on the sides are exchanged.
    const [across, down] = orientation >= 5 ? [height, width] : [width, height];
    if (width > 0 && height > 0) return { width: across, height: down, ...(orientation > 1 && { turned: true }) };
  } catch {
    // The error below says it for the model.
  }
  throw new Error(`${name} begins as ${type}, but its header has no width and height: it is damaged`);
}

function strange(name: string, bytes: Uint8Array, type: string | undefined): Error {
  const head = Buffer.from(bytes.subarray(0, headBytes)).toString('latin1');
  const usable = 'Usable are PNG, JPEG, WebP, GIF, BMP, AVIF and PDF.';
  if (/<svg[\s>]/i.test(head))
    return new Error(`${name} is SVG, which is text and not pixels; read it with read_file. ${usable}`);
  if (type === undefined) return new Error(`${name} is neither a picture nor a PDF, whatever its name says. ${usable}`);
  return new Error(`${name} is ${type}, which cannot be decoded here. ${usable}`);
}

/** Whether the end of the picture is there. Decoders fill what is missing with nothing, and say nothing. */
function isWhole(type: string, bytes: Uint8Array): boolean {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (type) {
    case 'image/png':
    case 'image/apng':
      return data.lastIndexOf('IEND') > 0;
    case 'image/jpeg':
      // A thumbnail in the header has an end of its own, before the last start of a scan.
      return data.lastIndexOf('\xff\xd9', undefined, 'latin1') > data.lastIndexOf('\xff\xda', undefined, 'latin1');
    case 'image/webp':
      return data.byteLength >= data.readUInt32LE(4) + 8;
    case 'image/bmp':
      return data.byteLength >= data.readUInt32LE(2);
    case 'image/gif':
      // The first picture is what is decoded; its blocks end with an empty one.
      return data.lastIndexOf('\x00', undefined, 'latin1') > 13;
    default:
      return true;
  }
}
