import { createHash } from 'node:crypto';

/** Tells whether a roster file has changed in between. */
export const rosterHash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
