/** A secret that opens one thing once. The next one is another. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

export class OneTimeToken {
  #value = make();

  get value(): string {
    return this.#value;
  }

  /** @returns whether it was the secret. If so, it is used up. */
  take(given: string | null): boolean {
    // Of equal length, whatever was given: the comparison tells nothing of the secret.
    if (given === null || !timingSafeEqual(digest(given), digest(this.#value))) return false;
    this.#value = make();
    return true;
  }
}

const make = (): string => randomBytes(32).toString('base64url');
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
