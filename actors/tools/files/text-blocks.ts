/** Reads text files of any size piece by piece. */
import { isUtf8 } from 'node:buffer';
import { bytesAt, type OpenFile } from './open-file.ts';
import { decodeBytes, type Encoding, encodingOf, markedEncoding } from './text-form.ts';

export class NotText extends Error {
  constructor(path: string) {
    super(`${path} is not a text file`);
  }
}

/** Largest file in bytes that is looked at as a whole before its encoding is decided, and that can be edited. */
export const maxWholeBytes = 8_388_608;
/** The part of a larger file that decides whether it is text. */
const headBytes = 65_536;
const blockBytes = 1_048_576;

export interface EncodedFile extends OpenFile {
  /** null: the file is large and has no byte order mark, so that each piece shows its own encoding. */
  readonly encoding: Encoding | null;
  /** Length of the byte order mark. */
  readonly bomBytes: number;
  /** Lines end with `\r` alone: there is no `\n` in the part that decides. */
  readonly isCr: boolean;
}

/** @throws NotText */
export async function encodedFile(open: OpenFile): Promise<EncodedFile> {
  const head = await bytesAt(open, 0, open.size > maxWholeBytes ? headBytes : open.size);
  const marked = markedEncoding(head);
  const bomBytes = marked === null ? 0 : marked === 'utf-8' ? 3 : 2;
  // Of a broken UTF-8 file the mark is three letters of Windows-1252, as it is when the file is edited.
  const isBroken = marked === 'utf-8' && open.size <= maxWholeBytes && !isUtf8(head);
  if (bomBytes === 2 && open.size % 2 !== 0) throw new NotText(open.path);
  const isCr = head.includes(13) && !head.includes(10);
  if (marked !== null && !isBroken) return { ...open, encoding: marked, bomBytes, isCr };
  const encoding = encodingOf(head);
  if (encoding === null) throw new NotText(open.path);
  return { ...open, encoding: open.size > maxWholeBytes ? null : encoding, bomBytes: 0, isCr };
}

/**
 * Decodes a piece of a file that may begin and end within a character. Where lines end with `\r` alone, it stands as `\n` in the
 * text.
 * @returns the text and how many bytes at the beginning and at the end do not belong to it.
 * @throws NotText
 */
export function decodePiece(data: Buffer, { encoding, path, isCr }: EncodedFile): Piece {
  const isUtf16 = encoding?.startsWith('utf-16') ?? false;
  const found = isUtf16 ? wholeUtf16(data, encoding!) : wholeUtf8(data);
  const isBroken = data.length > 0 && found.end <= found.skipped;
  if (isUtf16 && isBroken) throw new NotText(path);
  const isOther =
    encoding === 'windows-1252' ||
    (!isUtf16 && isBroken) ||
    (encoding === null && !isUtf8(data.subarray(found.skipped, found.end)));
  const { skipped, end } = isOther ? { skipped: 0, end: data.length } : found;
  const actual = isOther ? 'windows-1252' : (encoding ?? 'utf-8');
  const text = decodeBytes(data.subarray(skipped, end), actual);
  return { text: isCr ? text.replaceAll('\r', '\n') : text, skipped, end, encoding: actual };
}
export interface Piece {
  readonly text: string;
  readonly skipped: number;
  readonly end: number;
  readonly encoding: Encoding;
}

function wholeUtf8(data: Buffer): { skipped: number; end: number } {
  let skipped = 0;
  while (skipped < Math.min(3, data.length) && (data[skipped]! & 0xc0) === 0x80) skipped++;
  for (let back = 1; back <= Math.min(3, data.length); back++) {
    const byte = data[data.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return { skipped, end: length > back ? data.length - back : data.length };
  }
  return { skipped, end: data.length };
}

function wholeUtf16(data: Buffer, encoding: Encoding): { skipped: number; end: number } {
  const high = (at: number) => data[encoding === 'utf-16le' ? at + 1 : at] ?? 0;
  const even = data.length - (data.length % 2);
  const skipped = even >= 2 && high(0) >= 0xdc && high(0) <= 0xdf ? 2 : 0;
  return { skipped, end: even > skipped && high(even - 2) >= 0xd8 && high(even - 2) <= 0xdb ? even - 2 : even };
}

/** Positions behind the line ends of some bytes that begin at an even position of the file. */
export function* lineStarts(data: Buffer, { encoding, isCr }: Pick<EncodedFile, 'encoding' | 'isCr'>): Generator<number> {
  const isUtf16 = encoding?.startsWith('utf-16') ?? false;
  const lineEnd = isCr ? 13 : 10;
  for (let at = data.indexOf(lineEnd); at >= 0; at = data.indexOf(lineEnd, at + 1)) {
    if (!isUtf16) yield at + 1;
    else if (encoding === 'utf-16le' ? at % 2 === 0 && data[at + 1] === 0 : at % 2 === 1 && data[at - 1] === 0)
      yield at + (encoding === 'utf-16le' ? 2 : 1);
  }
}

/**
 * The text of a file in blocks. A block ends with a line, unless the line is longer than a block.
 * @throws NotText
 */
export async function* textBlocks(file: EncodedFile, signal: AbortSignal): AsyncGenerator<string> {
  for (let at = file.bomBytes; at < file.size; ) {
    signal.throwIfAborted();
    const data = await bytesAt(file, at, blockBytes);
    if (data.length === 0) return;
    const ends = at + data.length >= file.size;
    // Blocks begin at a line, and so at an even position in UTF-16.
    const lineEnd = ends ? data.length : (lastOf(lineStarts(data, file)) ?? 0);
    const piece = decodePiece(lineEnd > 0 ? data.subarray(0, lineEnd) : data, file);
    yield piece.text;
    at += ends ? data.length : piece.end;
  }
}
function lastOf(positions: Iterable<number>): number | undefined {
  let last: number | undefined;
  for (const position of positions) last = position;
  return last;
}
