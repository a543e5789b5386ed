/** The messages that a later inspector is sent first: of each actor its beginning and its latest ones, within a bound. */
import type { StatelyMessage } from './stately.ts';

/** Most messages that are kept of one actor, after its first. */
const mostOfActor = 60;
/** Most actors, and most characters of all messages. What changed least recently is forgotten first. */
const mostActors = 1_000;
export const mostChars = 4_000_000;

interface Kept {
  readonly order: number;
  readonly text: string;
}
interface Actor {
  first: Kept | null;
  latest: Kept[];
  chars: number;
}

export class Replay {
  readonly #actors = new Map<string, Actor>();
  #order = 0;
  #chars = 0;

  /** @param text the message as it is sent. */
  keep({ type, sessionId }: Pick<StatelyMessage, 'type' | 'sessionId'>, text: string): void {
    const actor = this.#actors.get(sessionId) ?? { first: null, latest: [], chars: 0 };
    this.#actors.delete(sessionId);
    this.#actors.set(sessionId, actor);
    const kept = { order: this.#order++, text };
    if (type === '@xstate.actor') {
      this.#count(actor, -(actor.first?.text.length ?? 0));
      actor.first = kept;
    } else actor.latest.push(kept);
    this.#count(actor, text.length);
    if (actor.latest.length > mostOfActor) this.#count(actor, -actor.latest.shift()!.text.length);
    while (this.#actors.size > 1 && (this.#actors.size > mostActors || this.#chars > mostChars)) {
      const [oldest, { chars }] = this.#actors.entries().next().value!;
      this.#actors.delete(oldest);
      this.#chars -= chars;
    }
  }

  /** In the order in which they came, but each actor begins before anything is told of it. */
  all(): string[] {
    const actors = [...this.#actors.values()];
    const beginnings = actors.flatMap(({ first }) => first ?? []).toSorted((a, b) => a.order - b.order);
    const later = actors.flatMap(({ latest }) => latest).toSorted((a, b) => a.order - b.order);
    return [...beginnings, ...later].map(({ text }) => text);
  }

  #count(actor: Actor, chars: number): void {
    actor.chars += chars;
    this.#chars += chars;
  }
}
