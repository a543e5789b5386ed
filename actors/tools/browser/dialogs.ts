/**
 * The questions that pages of a task ask by `confirm` and `prompt`, and their alerts. A page stands still behind a dialog, so none
 * waits. Invariants:
 * - A question is dismissed when a call sets it off first, and is told to the agent, who may make the same call again with an
 *   answer.
 * - An answer is given only while that call runs, and only to a question that the agent was told of, in the same words. So nobody
 *   accepts what they have not read.
 */
import { beginningOf } from '../../../platform/cut.ts';

export interface Asked {
  readonly kind: 'confirm' | 'prompt';
  /** Text of the page. */
  readonly text: string;
}
interface Answered {
  readonly accept: boolean;
  /** The text that answers a `prompt`. Left out: the text that the page proposes. */
  readonly text?: string;
  /** A line for the agent. */
  readonly note: string;
}

const maxCalls = 50;
/** Questions of one call that are remembered. */
const maxAsked = 5;
const maxChars = 1_000;
const maxShownChars = 200;

export class Dialogs {
  /** The questions that pages have asked, by the key of the call; the oldest first. */
  readonly #known = new Map<string, Asked[]>();
  #call: { readonly key: string; readonly answer: string | null } | null = null;

  /** From now on, until `end`, dialogs are of this call. @param answer what the agent wants to answer; null: nothing. */
  begin(key: string, answer: string | null): void {
    this.#call = { key, answer };
  }
  end(): void {
    this.#call = null;
  }

  /** The questions that the same call has set off before. */
  known(key: string): readonly Asked[] {
    return this.#known.get(key) ?? [];
  }

  answerTo(type: string, message: string): Answered {
    const text = beginningOf(message, maxChars);
    const kind = type === 'confirm' || type === 'prompt' ? type : null;
    const said = `The page showed ${words[type] ?? 'a dialog'}: "${beginningOf(text, maxShownChars)}".`;
    const call = this.#call;
    if (kind === null || call === null) return { accept: false, note: `${said} It was dismissed.` };
    const isKnown = this.known(call.key).some((asked) => asked.kind === kind && asked.text === text);
    if (call.answer !== null && isKnown) return { ...meant(kind, call.answer), note: `${said} ${outcome(kind, call.answer)}` };
    this.#remember(call.key, { kind, text });
    const how = kind === 'prompt' ? 'with the text as `dialog`' : 'with dialog: "accept"';
    return { accept: false, note: `${said} It was dismissed. To answer it, make the same call again ${how}.` };
  }

  #remember(key: string, asked: Asked): void {
    const others = this.known(key).filter(({ text }) => text !== asked.text);
    this.#known.delete(key);
    this.#known.set(key, [...others, asked].slice(-maxAsked));
    for (const first of this.#known.keys()) if (this.#known.size > maxCalls) this.#known.delete(first);
  }
}

const words: Readonly<Record<string, string>> = { alert: 'an alert', confirm: 'a question', prompt: 'a question for text' };

/** Whether the answer lets happen what the page asks about. */
export const accepts = (answer: string): boolean => !/^(?:dismiss|cancel|no|false)$/i.test(answer.trim());

function meant(kind: Asked['kind'], answer: string): Pick<Answered, 'accept' | 'text'> {
  const accept = accepts(answer);
  const isText = accept && kind === 'prompt' && !/^accept$/i.test(answer.trim());
  return { accept, ...(isText && { text: answer }) };
}

function outcome(kind: Asked['kind'], answer: string): string {
  const { accept, text } = meant(kind, answer);
  return text === undefined ? `It was ${accept ? 'accepted' : 'dismissed'}.` : 'It was given the text.';
}
