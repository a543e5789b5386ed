/** The answer within the JSON of a model without function calling, while it streams. Each character is decoded once. */
import { ThoughtFilter } from './thoughts.ts';

const answerHead = /^(?:```(?:json)?\s*)?\{\s*"answer"\s*:\s*"/;
const mayBecomeForm = (text: string): boolean => /^(?:`{0,2}|```(?:j|js|jso|json)?\s*(?:\[\s*)?|\[\s*)$/.test(text);
export const looksLikeForm = (text: string): boolean => /^(?:```(?:json)?\s*)?(?:\[\s*)?\{/.test(text);
/** Longest beginning, in characters, that may still become an answer. */
const mostHead = 2_000;

/**
 * Says the decoded text within `{"answer": "…`, or the text itself if it is not JSON. Of a call, and of what may still become one,
 * it says nothing.
 */
export class LiveAnswer {
  readonly #thoughts = new ThoughtFilter();
  #form: 'unknown' | 'answer' | 'plain' | 'over' = 'unknown';
  /** The text that came and is not decoded yet. */
  #held = '';

  /** @returns what the piece adds to the answer. */
  push(piece: string): string {
    if (this.#form === 'over') return '';
    const text = this.#thoughts.push(piece);
    if (this.#form === 'plain') return text;
    this.#held += text;
    return this.#form === 'answer' ? this.#decoded() : this.#begun();
  }

  /** Nothing is held back that is part of an answer. */
  end(): string {
    return '';
  }

  #begun(): string {
    const text = this.#held.trimStart();
    const head = answerHead.exec(text);
    if (head) {
      this.#form = 'answer';
      this.#held = text.slice(head[0].length);
      return this.#decoded();
    }
    if (looksLikeForm(text) || mayBecomeForm(text)) {
      if (text.length > mostHead) this.#form = 'over';
      return '';
    }
    this.#form = 'plain';
    return text;
  }

  /** Of a JSON string, up to its closing quote. An incomplete escape, and half of a character, wait for the rest. */
  #decoded(): string {
    const body = this.#held;
    let [last, end] = [0, 0];
    while (end < body.length && body[end] !== '"') {
      const length = lengthAt(body, end);
      if (end + length > body.length) break;
      [last, end] = [end, end + length];
    }
    const whole = firstHalf.test(body.slice(last, end)) ? last : end;
    if (body[end] === '"') this.#form = 'over';
    this.#held = body.slice(whole);
    try {
      return JSON.parse(`"${body.slice(0, whole).replace(/[\n\r\t]/g, (char) => JSON.stringify(char).slice(1, -1))}"`) as string;
    } catch {
      this.#form = 'over';
      return '';
    }
  }
}

const firstHalf = /^(?:\\u[dD][89abAB][0-9a-fA-F]{2}|[\uD800-\uDBFF])$/;
const lengthAt = (body: string, at: number): number => (body[at] !== '\\' ? 1 : body[at + 1] === 'u' ? 6 : 2);

/** The part of the answer that can be read from the text received so far. With more text it only grows. */
export const answerSoFar = (raw: string): string => new LiveAnswer().push(raw);
