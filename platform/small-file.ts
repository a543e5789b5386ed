/**
 * Reads files that people and downloaded folders bring: rosters, plans, keys, credentials. Such a file may be anything, also a
 * device or a pipe that never ends, so no more than a limit is read.
 */
import { closeSync, constants, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { codeOf } from './errors.ts';

const tooLarge = (mostBytes: number) => new RangeError(`it is larger than ${mostBytes} bytes`);

/** @throws RangeError for more than `mostBytes`; the errors of the file system. */
export const readSmall = (path: string, mostBytes: number): Promise<Buffer> => readPieces(createReadStream(path), mostBytes);

/** Reads stdin, whatever it is: a path such as /dev/stdin cannot be opened where it is a socket. @throws as readSmall. */
export const readSmallStdin = (mostBytes: number): Promise<Buffer> =>
  readPieces(createReadStream('', { fd: 0, autoClose: false }), mostBytes);

async function readPieces(from: AsyncIterable<Buffer>, mostBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of from) {
    bytes += piece.length;
    if (bytes > mostBytes) throw tooLarge(mostBytes);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Longest wait for somebody to write into a pipe, in ms, and the time between two looks. */
const writerMs = 5_000;
const lookMs = 20;

/** As `readSmall`, where nothing else can happen meanwhile. @throws also an Error for a pipe into which nobody writes. */
export function readSmallSync(path: string, mostBytes: number, patienceMs = writerMs): Buffer {
  const whole = Buffer.alloc(mostBytes + 1);
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const isPipe = fstatSync(file).isFIFO();
    let bytes = 0;
    let waited = 0;
    for (let more = -1; more !== 0 && bytes <= mostBytes; bytes += Math.max(0, more)) {
      more = readNow(file, whole, bytes);
      // A pipe gives nothing until its writer has come, and between two pieces.
      if (!isPipe || more > 0 || (more === 0 && bytes > 0)) continue;
      if (waited >= patienceMs) throw new Error('it is a pipe, and nobody writes into it');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lookMs);
      waited += lookMs;
      more = -1;
    }
    if (bytes > mostBytes) throw tooLarge(mostBytes);
    return whole.subarray(0, bytes);
  } finally {
    closeSync(file);
  }
}

/** @returns -1: there is nothing yet. */
function readNow(file: number, into: Buffer, at: number): number {
  try {
    return readSync(file, into, at, into.length - at, null);
  } catch (error) {
    if (codeOf(error) === 'EAGAIN') return -1;
    throw error;
  }
}
