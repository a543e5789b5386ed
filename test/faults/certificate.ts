/**
 * A self-signed certificate for 127.0.0.1 and localhost (as which Node checks a loopback address). Tests need TLS, and no tool
 * that makes a certificate is installed everywhere.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  /** PEM. Also the CA certificate that checks it. */
  readonly certificate: string;
  readonly key: string;
}

const dayMs = 86_400_000;

/** X.509 (RFC 5280), version 3, ECDSA on P-256, valid from yesterday until tomorrow. */
export function loopbackCertificate(): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = sequence(oid(1, 2, 840, 10045, 4, 3, 2));
  const name = sequence(der(0x31, sequence(oid(2, 5, 4, 3), der(0x0c, Buffer.from('cox test')))));
  const extensions = sequence(
    sequence(oid(2, 5, 29, 19), yes, der(0x04, sequence(yes))),
    sequence(oid(2, 5, 29, 17), der(0x04, sequence(der(0x87, Buffer.from([127, 0, 0, 1])), der(0x82, Buffer.from('localhost'))))),
  );
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1, ...randomBytes(8)])),
    ecdsaWithSha256,
    name,
    sequence(utcTime(Date.now() - dayMs), utcTime(Date.now() + dayMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', content, privateKey));
  return {
    certificate: pem(sequence(content, ecdsaWithSha256, signature)),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** Tag, length, value. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  const { length } = value;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), value]);
}
const sequence = (...parts: Buffer[]) => der(0x30, ...parts);
const yes = der(0x01, Buffer.from([0xff]));

function oid(first: number, second: number, ...rest: number[]): Buffer {
  const base128 = (n: number): number[] => (n < 0x80 ? [n] : [...base128(n >> 7).map((byte) => byte | 0x80), n & 0x7f]);
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** YYMMDDhhmmssZ */
const utcTime = (ms: number) => der(0x17, Buffer.from(`${new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14)}Z`));

const pem = (bytes: Buffer) =>
  ['-----BEGIN CERTIFICATE-----', ...(bytes.toString('base64').match(/.{1,64}/g) ?? []), '-----END CERTIFICATE-----', ''].join(
    '\n',
  );
