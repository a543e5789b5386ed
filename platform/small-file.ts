/**
 * Reads files that people and downloaded folders bring: rosters, plans, keys, credentials. Such a file may be anything, also a
 * device or a pipe that never ends, so no more than a limit is read.
 */
import { closeSync, createReadStream, openSync, readSync } from 'node:fs';

const tooLarge = (mostBytes: number) => new RangeError(`it is larger than ${mostBytes} bytes`);

/** @throws RangeError for more than `mostBytes`; the errors of the file system. */
export async function readSmall(path: string, mostBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > mostBytes) throw tooLarge(mostBytes);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** As `readSmall`, where nothing else can happen meanwhile. */
export function readSmallSync(path: string, mostBytes: number): Buffer {
  const whole = Buffer.alloc(mostBytes + 1);
  const file = openSync(path, 'r');
  try {
    let bytes = 0;
    for (let more = -1; more !== 0 && bytes <= mostBytes; bytes += more)
      more = readSync(file, whole, bytes, whole.length - bytes, null);
    if (bytes > mostBytes) throw tooLarge(mostBytes);
    return whole.subarray(0, bytes);
  } finally {
    closeSync(file);
  }
}
