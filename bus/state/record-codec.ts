/**
 * The stored form of a state record. It is JSON, which any client of the bucket can read. From 512 Ki characters on it is the
 * gzip of that JSON, so that a plan of 10,000 sub-tasks is still one message and one compare-and-set (docs/adr/0020).
 * Rule `compression` (docs/task-protocol.md).
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { CoxError } from '../../platform/errors.ts';

const largeChars = 512 * 1024;
/** Limit for the unpacked size, in bytes: a few bytes from a stranger must not fill the memory. */
const maxBytes = 64 * 2 ** 20;

/** @throws CoxError `message-too-big` for a record that would not be unpacked again. */
export function packed(json: string): string | Uint8Array {
  if (json.length < largeChars) return json;
  const bytes = Buffer.byteLength(json);
  if (bytes > maxBytes)
    throw new CoxError('message-too-big', `The state record has ${bytes} bytes; at most ${maxBytes} are allowed`, {
      hint: 'The task has a plan or a conversation that is too long: split the work into several tasks.',
    });
  return gzipSync(json, { level: 1 });
}

/** @throws Error if the gzip is broken, or if it unpacks to more than 64 MiB. */
export function unpacked(data: Uint8Array): string {
  const stored = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const isGzip = stored[0] === 0x1f && stored[1] === 0x8b;
  return (isGzip ? gunzipSync(stored, { maxOutputLength: maxBytes }) : stored).toString();
}
