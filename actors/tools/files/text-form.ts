/**
 * The form of a text file: its encoding, its byte order mark and its line ends. A file is decoded and encoded here alone, so that
 * whatever is read and written again keeps its form. Decoding loses no byte: encoding the same text gives the same bytes.
 */
import { isUtf8 } from 'node:buffer';

/** `windows-1252` stands for every old encoding of one byte a letter: bytes that are not UTF-8 are read as such. */
export type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';
export interface TextForm {
  readonly encoding: Encoding;
  /** There is a byte order mark at the beginning. */
  readonly bom: boolean;
  /**
   * `cr`: a text without any `\n`, as old Macs and some exports write it. `mixed`: the text has several sorts, and its `\r` are
   * left in it. `none`: the text has one line.
   */
  readonly lineEnds: 'lf' | 'crlf' | 'cr' | 'mixed' | 'none';
}
export interface FormedText {
  /** The text with `\n` as line ends, unless they are mixed; without the byte order mark. */
  readonly text: string;
  readonly form: TextForm;
}
export const plainForm: TextForm = { encoding: 'utf-8', bom: false, lineEnds: 'lf' };

const bom = '\uFEFF';
/** Reads the byte order mark. Without one, a file is UTF-8 or Windows-1252, which only its bytes can tell. */
export const markedEncoding = (head: Uint8Array): Encoding | null => {
  // UTF-32 begins in the same way, and is not read.
  if (head[0] === 0xff && head[1] === 0xfe) return head.length >= 4 && head[2] === 0 && head[3] === 0 ? null : 'utf-16le';
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be';
  return head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 'utf-8' : null;
};

/** @returns null if the bytes are not text. */
export function decodeText(data: Buffer): FormedText | null {
  const marked = markedEncoding(data);
  const encoding = marked === null || (marked === 'utf-8' && !isUtf8(data)) ? encodingOf(data) : marked;
  if (encoding === null || (encoding.startsWith('utf-16') && data.length % 2 !== 0)) return null;
  const whole = decodeBytes(data, encoding);
  if (whole.includes('\0')) return null;
  const hasBom = whole.startsWith(bom);
  const text = hasBom ? whole.slice(1) : whole;
  const lineEnds = lineEndsOf(text);
  return { text: withPlainLineEnds(text, lineEnds), form: { encoding, bom: hasBom, lineEnds } };
}

/** Of bytes without a byte order mark; null if they are not text. */
export const encodingOf = (data: Buffer): Encoding | null => {
  if (data.includes(0)) return null;
  if (isUtf8(data)) return 'utf-8';
  return hasControls(data) ? null : 'windows-1252';
};

/** Decodes all bytes, with the byte order mark. Half a letter of UTF-16 at the end is left out. */
export function decodeBytes(data: Buffer, encoding: Encoding): string {
  if (encoding === 'utf-8') return data.toString('utf8');
  if (encoding === 'windows-1252')
    return data.toString('latin1').replaceAll(/[\x80-\x9f]/g, (letter) => upper1252[letter.charCodeAt(0) - 0x80]!);
  const whole = data.subarray(0, data.length - (data.length % 2));
  return (encoding === 'utf-16le' ? whole : Buffer.from(whole).swap16()).toString('utf16le');
}

/**
 * An old text has no control characters but white space, backspace, escape and the end sign of DOS; other bytes of one byte a
 * letter are no text.
 */
const hasControls = (data: Buffer): boolean =>
  data.some((byte) => byte < 0x20 && byte !== 0x1a && byte !== 0x1b && (byte < 8 || byte > 13));

export const lineEndsOf = (text: string): TextForm['lineEnds'] => {
  const all = text.split('\n').length - 1;
  if (all === 0) return text.includes('\r') ? 'cr' : 'none';
  const windows = text.split('\r\n').length - 1;
  if (windows === 0) return 'lf';
  return windows === all ? 'crlf' : 'mixed';
};

/** A text with `\n` as line ends, unless they are mixed. */
export function withPlainLineEnds(text: string, lineEnds: TextForm['lineEnds']): string {
  if (lineEnds === 'cr') return text.replaceAll('\r', '\n');
  return lineEnds === 'crlf' ? text.replaceAll('\r\n', '\n') : text;
}

/** A text as a model gave it, with the line ends of decoded text. It may have the file's own, or other ones. */
export function givenText(text: string, { lineEnds }: TextForm): string {
  const given = lineEnds === 'mixed' || lineEnds === 'none' ? text : text.replaceAll('\r\n', '\n');
  return lineEnds === 'cr' ? given.replaceAll('\r', '\n') : given;
}

/**
 * A new text for a file, as a model gave it, with the line ends of the old one. Where those are mixed and the model gives `\n`
 * alone, a line that stays has its own, and a new one that of the line before.
 */
export function textLike({ text: old, form }: FormedText, text: string): string {
  if (form.lineEnds !== 'mixed' || text.includes('\r')) return givenText(text, form);
  /** Of each line of the old text: whether it ends with `\r\n`, for each time that it is there. */
  const windows = new Map<string, boolean[]>();
  const oldLines = old.split('\n').slice(0, -1);
  for (const line of oldLines) {
    const isWindows = line.endsWith('\r');
    const words = isWindows ? line.slice(0, -1) : line;
    const known = windows.get(words);
    if (known) known.push(isWindows);
    else windows.set(words, [isWindows]);
  }
  let isWindows = oldLines[0]!.endsWith('\r');
  const lines = text.split('\n');
  const last = lines.pop()!;
  return (
    lines
      .map((line) => {
        isWindows = windows.get(line)?.shift() ?? isWindows;
        return `${line}${isWindows ? '\r' : ''}\n`;
      })
      .join('') + last
  );
}

/**
 * @param text as `decodeText`, `givenText` or `textLike` return it.
 * @throws Error if the text has letters that the encoding lacks.
 */
export function encodeText(text: string, { encoding, bom: hasBom, lineEnds }: TextForm): Buffer {
  const unmarked = hasBom && text.startsWith(bom) ? text.slice(1) : text;
  const lineEnd = lineEnds === 'crlf' ? '\r\n' : lineEnds === 'cr' ? '\r' : '\n';
  return encodeChars((hasBom ? bom : '') + unmarked.replaceAll('\n', lineEnd), encoding);
}

/** @throws Error if the text has letters that the encoding lacks. */
export function encodeChars(text: string, encoding: Encoding): Buffer {
  if (encoding === 'utf-8') return Buffer.from(text, 'utf8');
  if (encoding === 'utf-16le') return Buffer.from(text, 'utf16le');
  if (encoding === 'utf-16be') return Buffer.from(text, 'utf16le').swap16();
  const missing = new Set<string>();
  const letters = text.replaceAll(/[^\0-\x7f\xa0-\xff]/gu, (letter) => {
    const at = upper1252.indexOf(letter);
    if (at < 0) missing.add(letter);
    return String.fromCharCode(0x80 + at);
  });
  if (missing.size > 0)
    throw new Error(`the file is in Windows-1252, which has no ${[...missing].slice(0, 8).join(' ')}; write it without`);
  return Buffer.from(letters, 'latin1');
}

/** Letters of the bytes 0x80 to 0x9f. Node's own decoder reads some of them as Latin-1. Unused bytes stay control characters. */
const upper1252 = [...'€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f', ...'\x90‘’“”•–—˜™š›œ\x9džŸ'];

/** The part of a file's form that a new text of it has kept. */
export const keptForm = (before: TextForm, after: TextForm): TextForm =>
  before.lineEnds === after.lineEnds ? before : { ...before, lineEnds: 'lf' };

/** @returns the form in words; an empty text for UTF-8 with plain line ends, which is the usual form. */
export const formInWords = ({ encoding, bom: hasBom, lineEnds }: TextForm): string =>
  [encoding !== 'utf-8' ? encodingNames[encoding] : hasBom ? 'UTF-8 with a byte order mark' : '', lineEndNames[lineEnds]]
    .filter(Boolean)
    .join(', ');
const lineEndNames: Record<TextForm['lineEnds'], string> = {
  lf: '',
  none: '',
  crlf: 'CRLF line ends',
  cr: 'CR line ends',
  mixed: 'mixed line ends',
};
const encodingNames: Record<Exclude<Encoding, 'utf-8'>, string> = {
  'utf-16le': 'UTF-16 LE',
  'utf-16be': 'UTF-16 BE',
  'windows-1252': 'Windows-1252',
};
