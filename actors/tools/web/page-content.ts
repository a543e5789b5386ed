/** The type of a reply's content: by the bytes themselves, and by the server's word only where they do not tell. */
import { isUtf8 } from 'node:buffer';
import { markedEncoding } from '../files/text-form.ts';
import { isWide } from './charset.ts';

export type PageContent =
  | { readonly kind: 'html' }
  | { readonly kind: 'text' }
  /** @see https://www.iana.org/assignments/media-types, and the usual ending of a file of that type. */
  | { readonly kind: 'file'; readonly type: string; readonly ending: string };

/** Bytes that tell what a file is. */
const headBytes = 4_100;

/** @param header the `content-type`, or an empty text. */
export async function contentOf(bytes: Buffer, header: string): Promise<PageContent> {
  const said = header.split(';')[0]!.trim().toLowerCase();
  const { fileTypeFromBuffer } = await import('file-type');
  const found = await fileTypeFromBuffer(bytes.subarray(0, headBytes)).catch(() => undefined);
  if (found && !isMarkup(found.mime)) return { kind: 'file', type: found.mime, ending: found.ext };
  const isHtml = said === 'text/html' || said === 'application/xhtml+xml';
  const isSaid = isHtml || said.startsWith('text/');
  // In UTF-16 every other byte may be 0.
  if (!(isSaid && isWide(header)) && !isText(bytes, isSaid))
    return { kind: 'file', type: 'application/octet-stream', ending: 'bin' };
  if (isHtml) return { kind: 'html' };
  const isUnsaid = said === '' || said === 'application/octet-stream';
  return { kind: isUnsaid && looksLikeHtml(bytes) ? 'html' : 'text' };
}

const isMarkup = (type: string): boolean => type.endsWith('xml') || type.startsWith('text/');

/** Text of an old encoding has bytes that are not UTF-8, and is known by the server's word alone. */
function isText(bytes: Buffer, isSaid: boolean): boolean {
  if (markedEncoding(bytes) !== null) return true;
  const head = bytes.subarray(0, headBytes);
  // A letter may be cut in two at the end of the head.
  const isWhole = bytes.length <= headBytes;
  if (head.includes(0)) return false;
  return isSaid || [0, 1, 2, 3].some((cut) => (cut === 0 || !isWhole) && isUtf8(head.subarray(0, head.length - cut)));
}

const looksLikeHtml = (bytes: Buffer): boolean =>
  /^\s{0,200}(?:<!--[^>]{0,400}-->\s{0,100})?<(?:!doctype html|html|head|body|title|meta|h1|p|div|table)[\s>]/i.test(
    bytes.toString('latin1', 0, 1_024),
  );
