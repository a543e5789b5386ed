/** A part of a text file of any size, found by line or by byte, without reading the whole file into memory. */
import { beginningOf } from '../../../platform/cut.ts';
import { maxOutputChars } from '../tool.ts';
import { bytesAt } from './open-file.ts';
import { decodePiece, type EncodedFile, lineStarts } from './text-blocks.ts';
import { type Encoding, encodeChars } from './text-form.ts';

export interface Place {
  /** Counts from 1; negative: from the end, -1 is the last line. */
  readonly line?: number | undefined;
  /** Most lines; without it, as many as fit. */
  readonly lines?: number | undefined;
  /** Byte to start at. */
  readonly offset?: number | undefined;
}
export interface TextPart {
  /** As it is in the file, with its own line ends; `\n` where each of them is `\r`. */
  readonly text: string;
  /** First byte, and the byte after the last one. */
  readonly from: number;
  readonly to: number;
  /** Number of the first line; null where nobody has counted. */
  readonly line: number | null;
  readonly encoding: Encoding;
}

const scanBytes = 1_048_576;
/** Enough for `maxOutputChars` UTF-16 units in every encoding, and for the characters around the cut. */
const windowBytes = maxOutputChars * 4;

/** @throws Error for the model if the file ends before the place; it says how long the file is. */
export async function textPart(file: EncodedFile, place: Place, signal: AbortSignal): Promise<TextPart> {
  const { start, line } = await startOf(file, place, signal);
  const piece = decodePiece(await bytesAt(file, start, windowBytes), file);
  const text = cutToFit(firstLines(piece.text, place.lines ?? Number.POSITIVE_INFINITY));
  const from = start + piece.skipped;
  return { text, from, to: from + encodeChars(text, piece.encoding).length, line, encoding: piece.encoding };
}

async function startOf(
  file: EncodedFile,
  { line, offset }: Place,
  signal: AbortSignal,
): Promise<{ readonly start: number; readonly line: number | null }> {
  const { path, size, bomBytes } = file;
  if (offset !== undefined) {
    if (line !== undefined) throw new Error('give a line or an offset, not both');
    if (offset > 0 && offset >= size) throw new Error(`${path} has only ${size} bytes`);
    const even = file.encoding?.startsWith('utf-16') ? offset - (offset % 2) : offset;
    return even <= bomBytes ? { start: bomBytes, line: 1 } : { start: even, line: null };
  }
  if (line === undefined || line === 0 || line === 1) return { start: bomBytes, line: 1 };
  return line > 0
    ? { start: await lineFromStart(file, line, signal), line }
    : { start: await lineFromEnd(file, -line, signal), line: null };
}

async function lineFromStart(file: EncodedFile, line: number, signal: AbortSignal): Promise<number> {
  const { path, size } = file;
  let seen = 1;
  let lastStart = 0;
  for (let at = 0; at < size; at += scanBytes) {
    signal.throwIfAborted();
    for (const start of lineStarts(await bytesAt(file, at, scanBytes), file)) {
      lastStart = at + start;
      if (++seen === line && lastStart < size) return lastStart;
    }
  }
  const lines = lastStart === size ? seen - 1 : seen;
  throw new Error(`${path} has only ${lines} ${lines === 1 ? 'line' : 'lines'} (${size} bytes)`);
}

async function lineFromEnd(file: EncodedFile, back: number, signal: AbortSignal): Promise<number> {
  let left = back;
  // Blocks begin at multiples of their size, so that UTF-16 stays even.
  for (let at = Math.floor(Math.max(0, file.size - 1) / scanBytes) * scanBytes; at >= 0; at -= scanBytes) {
    signal.throwIfAborted();
    const starts = [...lineStarts(await bytesAt(file, at, scanBytes), file)].map((start) => at + start);
    for (const start of starts.reverse()) if (start < file.size && --left === 0) return start;
  }
  return file.bomBytes;
}

function firstLines(text: string, most: number): string {
  let end = 0;
  for (let n = 0; n < most; n++) {
    const at = text.indexOf('\n', end);
    if (at < 0) return text;
    end = at + 1;
  }
  return text.slice(0, end);
}

/** Cuts at the end of a line; a line that is too long is cut between two characters. */
function cutToFit(text: string): string {
  if (text.length <= maxOutputChars) return text;
  const cut = beginningOf(text, maxOutputChars);
  return cut.slice(0, cut.lastIndexOf('\n') + 1) || cut;
}
