/** Decodes a text that people have written with an editor: UTF-8, or UTF-16 with a byte order mark, which is left out. */

/** @param isCut the last character may be torn. @throws TypeError for bytes that are not text in this encoding. */
export function decodeText(bytes: Uint8Array, isCut = false): string {
  const [first, second] = bytes;
  const encoding = first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  return new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: isCut });
}

export const notDecoded = 'it is neither UTF-8 nor UTF-16 with a byte order mark';
