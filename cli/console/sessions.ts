/**
 * The access to a console: the one-time link, the sessions that it opens, and whether a session may write. Invariants:
 * A. The link opens one session. After ten wrong tokens it opens none.
 * B. A session ends after twelve hours, and with the console.
 * C. A session may write only for some minutes after its operator has said so.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

export const sessionMs = 12 * 60 * 60_000;
export const unlockMs = 10 * 60_000;
const mostGuesses = 10;
const secretBytes = 32;

export interface Session {
  readonly expiresAt: number;
  unlockedUntil: number;
}

export interface Clock {
  now(): number;
}

export type Opened = { readonly kind: 'opened'; readonly secret: string } | { readonly kind: 'used' | 'wrong' | 'void' };

export class Sessions {
  readonly #clock: Clock;
  readonly #token = newSecret();
  #used = false;
  #guesses = 0;
  readonly #sessions: { readonly digest: Buffer; readonly session: Session }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get token(): string {
    return this.#token;
  }

  /** Exchanges the token of the link for the secret of a session. */
  open(token: string): Opened {
    if (this.#guesses >= mostGuesses) return { kind: 'void' };
    if (!timingSafeEqual(digestOf(token), digestOf(this.#token))) {
      this.#guesses++;
      return { kind: 'wrong' };
    }
    if (this.#used) return { kind: 'used' };
    this.#used = true;
    const secret = newSecret();
    this.#sessions.push({
      digest: digestOf(secret),
      session: { expiresAt: this.#clock.now() + sessionMs, unlockedUntil: 0 },
    });
    return { kind: 'opened', secret };
  }

  /** Digests are compared, in constant time, so the length and the beginning of a guess tell nothing. */
  find(secret: string): Session | null {
    const digest = digestOf(secret);
    const found = this.#sessions.find((each) => timingSafeEqual(each.digest, digest))?.session;
    return found && found.expiresAt > this.#clock.now() ? found : null;
  }

  unlock(session: Session): void {
    session.unlockedUntil = Math.min(this.#clock.now() + unlockMs, session.expiresAt);
  }

  lock(session: Session): void {
    session.unlockedUntil = 0;
  }

  mayWrite = ({ unlockedUntil }: Session): boolean => unlockedUntil > this.#clock.now();
}

const newSecret = (): string => randomBytes(secretBytes).toString('base64url');
const digestOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();
