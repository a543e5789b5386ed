/** Decodes the bytes of a page: by their byte order mark, the header, the page's own `<meta>`, else by what they are. */
import { isUtf8 } from 'node:buffer';
import { decodeBytes, markedEncoding } from '../files/text-form.ts';

/** Bytes in which a page must have said its charset. */
const headBytes = 1_024;

/** Windows-1252 under the names that servers give it; browsers read all of these so. */
const western = new Set([
  'windows-1252',
  'cp1252',
  'iso-8859-1',
  'latin1',
  'l1',
  'ascii',
  'us-ascii',
  'iso8859-1',
  'x-user-defined',
]);

/**
 * @param header the `content-type` of the reply, or an empty text.
 * @returns the text without a byte order mark. A byte that means nothing in its charset becomes U+FFFD.
 */
export function decodePage(bytes: Buffer, header: string): string {
  const marked = markedEncoding(bytes);
  if (marked !== null) return withoutMark(decodeBytes(bytes, marked));
  const said = labelIn(header) ?? ofText(labelIn(headOf(bytes))) ?? 'utf-8';
  // Pages say UTF-8 more often than they are.
  if (said === 'utf-8' && !isUtf8(bytes)) return decodeAs(bytes, otherLabel(header, bytes));
  return decodeAs(bytes, said);
}

/** Whether the `content-type` says UTF-16. */
export const isWide = (header: string): boolean => labelIn(header)?.startsWith('utf-16') === true;

const withoutMark = (text: string): string => (text.startsWith('\uFEFF') ? text.slice(1) : text);
const headOf = (bytes: Buffer): string => bytes.toString('latin1', 0, headBytes);

/**
 * The second opinion about bytes that are not the UTF-8 they were said to be. A few broken bytes in a long text are still UTF-8.
 */
function otherLabel(header: string, bytes: Buffer): string {
  const own = ofText(labelIn(headOf(bytes)));
  if (own !== null && own !== 'utf-8') return own;
  const read = bytes.toString('utf8');
  const broken = read.split('\uFFFD').length - 1;
  const letters = read.match(/[\u0080-\uFFFC]/g)?.length ?? 0;
  return labelIn(header) === 'utf-8' || broken < letters ? 'utf-8' : 'windows-1252';
}

/** @returns the charset that is named, as the decoder calls it; null where none is named or known. */
function labelIn(text: string): string | null {
  const [, label] = /charset\s{0,20}=\s{0,20}["']?\s{0,20}([A-Za-z0-9_:.-]{1,40})/i.exec(text) ?? [];
  if (label === undefined) return null;
  const name = label.toLowerCase();
  if (western.has(name)) return 'windows-1252';
  try {
    return new TextDecoder(name).encoding;
  } catch {
    return null;
  }
}

/** A page whose head could be read byte by byte is no UTF-16, whatever it says. */
const ofText = (label: string | null): string | null => (label?.startsWith('utf-16') ? 'utf-8' : label);

const decodeAs = (bytes: Buffer, label: string): string =>
  label === 'windows-1252' ? decodeBytes(bytes, 'windows-1252') : new TextDecoder(label).decode(bytes);
