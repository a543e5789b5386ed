/** The signature of a steer is in headers, over the subject, the message id, the time and the body. docs/protocol describes it. */
import { createHash } from 'node:crypto';
import type { MsgHdrs } from '@nats-io/nats-core';
import { isSignedBy, type Signer } from './nkeys.ts';

/** A signature counts for messages that the log has stored at most this long before or after its time, in ms. */
export const signatureMs = 120_000;

const names = { key: 'Cox-Signer', time: 'Cox-Time', signature: 'Cox-Signature' } as const;

export interface Signature {
  readonly key: string;
  /** ISO 8601, by the clock of the signer. */
  readonly time: string;
  readonly signature: string;
}

/** The part of a message that is signed. */
export interface Signable {
  readonly subject: string;
  /** The header Nats-Msg-Id. It makes the message unique: a copy has the same one. */
  readonly msgId: string;
  readonly body: string | Uint8Array;
}

export const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const textOf = ({ subject, msgId, body }: Signable, time: string): string =>
  ['cox-steer-1', subject, msgId, time, sha256(body)].join('\n');

/** The headers that sign a message. */
export const signatureHeaders = (message: Signable, signer: Signer, at: Date): [name: string, value: string][] => {
  const time = at.toISOString();
  return [
    [names.key, signer.key],
    [names.time, time],
    [names.signature, signer.sign(textOf(message, time))],
  ];
};

/** @returns null for a message that is not signed. */
export function signatureIn(header: MsgHdrs | undefined): Signature | null {
  const [key, time, signature] = [names.key, names.time, names.signature].map((name) => header?.get(name) ?? '');
  return key && time && signature ? { key, time, signature } : null;
}

export const fits = (message: Signable, { key, time, signature }: Signature): boolean =>
  isSignedBy(key, textOf(message, time), signature);
