/** Decodes a text that people have written with an editor: UTF-8, or UTF-16 with a byte order mark, which is left out. */

const encodingOf = ([first, second]: Uint8Array): string =>
  first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';

/** @param isCut the last character may be torn. @throws TypeError for bytes that are not text in this encoding. */
export const utfText = (bytes: Uint8Array, isCut = false): string =>
  new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes, { stream: isCut });

/** As `utfText`, of YAML, which takes CR alone as a line end too. The parser does not. */
export function utfYaml(bytes: Uint8Array): string {
  const text = utfText(bytes);
  return text.includes('\n') ? text : text.replaceAll('\r', '\n');
}

/** Reads a replacement character where bytes are not text. */
export const lenientUtfText = (bytes: Uint8Array): string => new TextDecoder(encodingOf(bytes)).decode(bytes);

export const notUtf = 'it is neither UTF-8 nor UTF-16 with a byte order mark';
