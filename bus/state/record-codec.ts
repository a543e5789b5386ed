/**
 * State records as they are stored: JSON, that any client of the bucket can read; beyond a size gzip of it, so that a plan of ten thousand
 * sub-tasks is still one message and one compare-and-set (docs/adr/0020).
 * Rule `compression` (docs/task-protocol.md).
 */
import { gunzipSync, gzipSync } from 'node:zlib';

const largeChars = 512 * 1024;
/** A stranger's few bytes must not fill the memory. */
const maxBytes = 256 * 2 ** 20;

export const packed = (json: string): string | Uint8Array => (json.length < largeChars ? json : gzipSync(json, { level: 1 }));

/** @throws Error where it is a broken gzip, or one of far more than we write. */
export function unpacked(data: Uint8Array): string {
  const stored = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const isGzip = stored[0] === 0x1f && stored[1] === 0x8b;
  return (isGzip ? gunzipSync(stored, { maxOutputLength: maxBytes }) : stored).toString();
}
