/** The versions of nats-server that the bus supports. Before 2.12 it lacks atomic batches and per-message TTL with markers. */
import { CoxError } from '../platform/errors.ts';

export const oldestServer = '2.12.0';

/** Finds the version in a text such as `nats-server: v2.15.1` or `2.15.1-beta.2`. @returns null if there is none. */
export const versionIn = (text: string): string | null => /(\d{1,9}\.\d{1,9}\.\d{1,9})/.exec(text)?.[1] ?? null;

export function isNewEnough(version: string): boolean {
  const wanted = oldestServer.split('.').map(Number);
  const given = version.split('.').map((part) => Number.parseInt(part, 10));
  for (const [index, least] of wanted.entries()) {
    const part = given[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}

export const tooOld = (version: string, where: string): CoxError =>
  new CoxError('nats-too-old', `${where} is nats-server ${version}; ${oldestServer} or newer is needed`, {
    hint: 'Upgrade that server, or leave NATS_URL and COX_NATS_SERVER unset to use the embedded one.',
  });
