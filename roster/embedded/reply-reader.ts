/** Reads the form of tool-form.ts while the model writes it, so that an answer streams before it is finished. */
import { answerTool } from './chat-request.ts';

export type ReplyPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'call'; readonly tool: string }
  | { readonly type: 'args'; readonly text: string };

const callStart = /^\{"tool": ("(?:[^"\\]|\\.)*"), "args": /;
const textStart = '{"text": "';
const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

type Mode = 'start' | 'raw' | 'args' | 'string' | 'done';

export class ReplyReader {
  #mode: Mode = 'start';
  #held = '';
  #escaped = false;
  readonly #rawAnswer: boolean;

  /** @param rawAnswer true if the answer is a JSON value, which is returned unchanged, and not a text. */
  constructor(rawAnswer: boolean) {
    this.#rawAnswer = rawAnswer;
  }

  push(text: string): ReplyPart[] {
    if (this.#mode === 'start') return this.#start(text);
    if (this.#mode === 'string') return this.#string(text);
    if (this.#mode === 'done') return [];
    return this.#verbatim(text);
  }

  /** @param finished false when the reply was cut off: then the buffered last character is part of the value. */
  end(finished: boolean): ReplyPart[] {
    const type = this.#mode === 'args' ? 'args' : 'text';
    const rest = finished || this.#mode === 'start' || this.#mode === 'string' ? '' : this.#held;
    this.#mode = 'done';
    return rest ? [{ type, text: rest }] : [];
  }

  #start(text: string): ReplyPart[] {
    this.#held += text;
    const call = callStart.exec(this.#held);
    if (!call) return [];
    const tool = JSON.parse(call[1]!) as string;
    const rest = this.#held.slice(call[0].length);
    if (tool !== answerTool) {
      this.#enter('args');
      return [{ type: 'call', tool }, ...this.#verbatim(rest)];
    }
    if (this.#rawAnswer) {
      this.#enter('raw');
      return this.#verbatim(rest);
    }
    if (!rest.startsWith(textStart)) return [];
    this.#enter('string');
    return this.#string(rest.slice(textStart.length));
  }

  #enter(mode: Mode): void {
    this.#mode = mode;
    this.#held = '';
  }

  /** The last character stays buffered: at the end it is the brace that closes the form. */
  #verbatim(text: string): ReplyPart[] {
    const all = this.#held + text;
    this.#held = all.slice(-1);
    const out = all.slice(0, -1);
    return out ? [{ type: this.#mode === 'args' ? 'args' : 'text', text: out }] : [];
  }

  #string(text: string): ReplyPart[] {
    let out = '';
    for (const char of text) {
      if (this.#escaped) {
        out += escapes[char] ?? char;
        this.#escaped = false;
      } else if (char === '\\') this.#escaped = true;
      else if (char === '"') {
        this.#mode = 'done';
        break;
      } else out += char;
    }
    return out ? [{ type: 'text', text: out }] : [];
  }
}
