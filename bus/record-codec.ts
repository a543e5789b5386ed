/**
 * State records as they are stored: JSON, that any client of the bucket can read; beyond a size gzip of it, so that a plan of ten thousand
 * sub-tasks is still one message and one compare-and-set (docs/adr/0020).
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { Phase, type StateRecord } from './state-record.ts';

const largeChars = 512 * 1024;
/** A stranger's few bytes must not fill the memory. */
const maxBytes = 256 * 2 ** 20;

/** @returns `chars`: how long it is as JSON. */
export function encodeRecord(record: StateRecord): { value: string | Uint8Array; chars: number } {
  const json = JSON.stringify(record);
  const chars = json.length;
  return { value: chars < largeChars ? json : gzipSync(json, { level: 1 }), chars };
}

/** @returns null for what is no record of ours. */
export function parseRecord(data: Uint8Array): StateRecord | null {
  try {
    const stored = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const json = isGzip(stored) ? gunzipSync(stored, { maxOutputLength: maxBytes }) : stored;
    // Written by us and compared-and-set since: a full parse of every large snapshot would be paid on each claim.
    const record = JSON.parse(json.toString()) as StateRecord;
    return typeof record.id === 'string' && Phase.safeParse(record.phase).success ? record : null;
  } catch {
    return null;
  }
}

const isGzip = (data: Uint8Array): boolean => data[0] === 0x1f && data[1] === 0x8b;
