/**
 * The inbox at the prompt. It remembers the list that was shown last, because the numbers of an answer are those of that list
 * (cli/inbox.ts), and an answer to several questions that waits for a confirmation.
 */
import type { Crew } from '../../bus/crew.ts';
import type { SteeringInput } from '../../bus/messages.ts';
import type { TaskId } from '../../bus/task-id.ts';
import { type Named, type Numbered, numbered, type Shown, shownOf, stillOpen, takers } from '../inbox.ts';
import { listedRows } from '../page-options.ts';
import { inboxLines } from '../render/inbox.ts';
import type { Paint } from '../render/paint.ts';
import { oneLine } from '../render/printable.ts';

export interface DeskOptions {
  readonly crew: Crew;
  readonly paint: Paint;
  readonly print: (lines: readonly string[]) => void;
  readonly send: (id: TaskId, said: SteeringInput) => Promise<void>;
}

const list = '/inbox';

export class InboxDesk {
  readonly #options: DeskOptions;
  #shown: readonly Shown[] | null = null;
  #unconfirmed: { readonly takes: readonly Numbered[]; readonly text: string } | null = null;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  /** What may stand for a task in an answer: the numbers that were shown, and `all`. */
  get numbers(): readonly string[] {
    return [...(this.#shown ?? []).map(({ number }) => String(number)), 'all'];
  }

  async show(): Promise<void> {
    const { crew, print, paint } = this.#options;
    const { rows, more } = await crew.questionPage({ limit: listedRows });
    const found = numbered(rows);
    this.#shown = shownOf(found);
    this.#print(found, '/answer');
    if (more > 0) print([paint.dim(`${more.toLocaleString('en')} more, which are listed when these are answered`)]);
  }

  async answer(named: Named, text: string): Promise<void> {
    if (named === 'all') return this.#askAboutAll(text);
    const open = this.#shown === null ? [] : await this.#options.crew.questions();
    await this.#send(stillOpen(named, this.#shown, open, list), text);
  }

  /** Takes the line after an answer to all: a yes sends it, a no drops it. Any other line drops it and is handled as usual. */
  async confirms(line: string): Promise<boolean> {
    const asked = this.#unconfirmed;
    this.#unconfirmed = null;
    if (!asked) return false;
    const isYes = /^y(es)?$/i.test(line.trim());
    const isNo = /^(no?)?$/i.test(line.trim());
    if (isYes) await this.#sendConfirmed(asked.takes, asked.text);
    else this.#options.print([this.#options.paint.dim('Nothing was answered.')]);
    return isYes || isNo;
  }

  /** Shows the questions that the answer would go to, with new numbers, and asks. */
  async #askAboutAll(text: string): Promise<void> {
    const { crew, print, paint } = this.#options;
    const found = numbered(await crew.questions());
    this.#shown = shownOf(found);
    const { takes, left } = takers(found, text);
    if (takes.length > 0 || left.length === 0) this.#print(takes, null);
    const words = `“${oneLine(text, 40)}”`;
    if (left.length > 0)
      print([paint.dim(`Left open: ${numbersOf(left)}, because ${words} is not one of the choices. ${list} shows them.`)]);
    if (takes.length === 0) return;
    this.#unconfirmed = { takes, text };
    print([
      `${paint.yellow('?')} Answer ${takes.length === 1 ? 'this one' : `these ${takes.length}`} with ${words}? Type yes or no.`,
    ]);
  }

  /** A question that was answered or replaced since it was shown is left out: what was agreed to is no longer asked. */
  async #sendConfirmed(takes: readonly Numbered[], text: string): Promise<void> {
    const open = await this.#options.crew.questions();
    const current = stillOpen('all', shownOf(takes), open, list);
    const gone = takes.filter(({ number }) => !current.some((each) => each.number === number));
    if (gone.length > 0) this.#options.print([this.#options.paint.dim(`Not open any more: ${numbersOf(gone)}.`)]);
    await this.#send(current, text);
  }

  async #send(questions: readonly Numbered[], text: string): Promise<void> {
    // One after the other: an answer may open an editor.
    for (const { id, question } of questions) await this.#options.send(id, { type: 'answer', question: question.id, text });
  }

  #print(found: readonly Numbered[], answerWith: string | null): void {
    const { crew, print, paint } = this.#options;
    print(inboxLines(found, paint, { now: crew.bus.now(), answerWith, showWith: '/status' }));
  }
}

const numbersOf = (questions: readonly Numbered[]): string => questions.map(({ number, id }) => `${number} (${id})`).join(', ');
