/**
 * What `cox run` does with the questions of its goal. `ask`: they are answered in place, one after the other. The other three are
 * the values of `--on-question`, for a run at which nobody can be asked.
 */
import type { Crew } from '../bus/crew.ts';
import type { Question, Receipt } from '../bus/messages.ts';
import { rootOf, type TaskId } from '../bus/task-id.ts';
import { type Said, saidTo } from './approval.ts';
import { approvalHelp } from './approval-help.ts';
import { askUntil, type Lend } from './ask.ts';
import type { Cli } from './cli.ts';
import { reported } from './errors.ts';
import type { GoalView } from './goal-view.ts';
import type { LiveTree } from './render/live-tree.ts';
import { oneLine, printable } from './render/printable.ts';
import { answerLine, questionLines } from './render/question.ts';
import { receiptLine } from './render/receipt.ts';
import { verbs } from './verbs.ts';

export type OnQuestion = 'ask' | 'wait' | 'fail' | 'deny';

export interface RunQuestionsOptions {
  readonly cli: Cli;
  readonly crew: Crew;
  readonly view: GoalView;
  readonly tree: LiveTree;
  readonly how: OnQuestion;
  /** Aborts at the end of the run. */
  readonly signal: AbortSignal;
  /** Called at Ctrl-C while a question is shown: the terminal then sends no signal. */
  readonly onInterrupt: () => void;
}

interface Asked {
  readonly id: TaskId;
  readonly question: Question;
}

/** A goal must be unchanged for this long (ms) before it counts as waiting for nothing but its operator. */
const quietMs = 1_000;
/** With `fail`: time in ms in which a goal that waits may still be answered from elsewhere, by a person or by another program. */
const graceMs = 10_000;

export class RunQuestions {
  readonly #options: RunQuestionsOptions;
  /** Questions that were asked, answered or left open here. */
  readonly #seen = new Set<string>();
  readonly #stalled = Promise.withResolvers<'stalled'>();
  #asking: { readonly key: string; readonly gone: AbortController } | null = null;
  #check: NodeJS.Timeout | null = null;
  /** When the goal was first found to wait for nothing but its operator; null while something goes on. */
  #stalledAt: number | null = null;

  constructor(options: RunQuestionsOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', () => this.#stop());
  }

  /** With `fail`: resolves when nothing in the goal can go on without an answer. Never resolves otherwise. */
  get stalled(): Promise<'stalled'> {
    return this.#stalled.promise;
  }

  /** To be called after each change of the view. */
  changed(): void {
    const { how, signal } = this.#options;
    if (signal.aborted) return;
    if (this.#asking && !this.#open.some((asked) => keyOf(asked) === this.#asking?.key)) this.#asking.gone.abort();
    if (how === 'ask') void this.#askNext();
    if (how === 'deny') for (const asked of this.#unseen()) void this.#deny(asked);
    if (how === 'fail') this.#checkSoon();
  }

  get #open(): Asked[] {
    return this.#options.view.nodes.flatMap(({ id, question, outcome }) =>
      id !== null && question !== null && outcome === null ? [{ id, question }] : [],
    );
  }

  #unseen(): Asked[] {
    const fresh = this.#open.filter((asked) => !this.#seen.has(keyOf(asked)));
    for (const asked of fresh) this.#seen.add(keyOf(asked));
    return fresh;
  }

  #stop(): void {
    if (this.#check) clearTimeout(this.#check);
    this.#asking?.gone.abort();
  }

  async #deny({ id, question }: Asked): Promise<void> {
    const { crew, tree } = this.#options;
    const said = { type: 'answer', question: question.id, text: denialOf(question) } as const;
    await crew.steer(id, said).catch((error) => tree.print([String(error)]));
  }

  async #askNext(): Promise<void> {
    const { tree, signal } = this.#options;
    if (this.#asking) return;
    for (let next = this.#next(); next && !signal.aborted; next = this.#next()) {
      const gone = new AbortController();
      this.#asking = { key: keyOf(next), gone };
      tree.hold();
      try {
        await this.#ask(next, gone.signal);
      } catch (error) {
        if (!signal.aborted) this.#say([String(error)]);
      } finally {
        this.#asking = null;
        tree.release();
      }
    }
  }

  #next(): Asked | undefined {
    const next = this.#open.find((asked) => !this.#seen.has(keyOf(asked)));
    if (next) this.#seen.add(keyOf(next));
    return next;
  }

  /** Asks until the task has taken an answer, or the question is gone. */
  async #ask({ id, question }: Asked, gone: AbortSignal): Promise<void> {
    const { cli, onInterrupt } = this.#options;
    const paint = cli.out.paint.stderr;
    const { rows = 24, columns = 80 } = cli.out.stderr;
    const showWith = question.kind === 'approval' ? show : `cox status ${id}`;
    this.#say(questionLines(id, question, paint, null, { rows, columns, showWith }));
    let isInterrupted = false;
    const stop = () => {
      isInterrupted = true;
      onInterrupt();
    };
    const take = (line: string, lend: Lend) => this.#take({ id, question }, line.trim(), lend);
    const prompt = `${paint.yellow('answer')} ${id} ${oneLine(question.id)}: `;
    if ((await askUntil(cli, prompt, take, { signal: gone, onInterrupt: stop })) || isInterrupted || this.#options.signal.aborted)
      return;
    if (gone.aborted) this.#say([`${id} ${oneLine(question.id)} is not open any more.`]);
    else this.#say([paint.dim(`Left open. From another terminal: ${answerLine(id, question, 'cox answer')}`)]);
  }

  /** @returns whether the question needs no other answer. */
  async #take({ id, question }: Asked, text: string, lend: Lend): Promise<boolean> {
    const { cli, crew } = this.#options;
    if (text === '') return false;
    if (question.kind === 'approval' && text.toLowerCase() === show) {
      this.#say(questionLines(id, question, cli.out.paint.stderr, null));
      return false;
    }
    let said: Said;
    try {
      const help = approvalHelp(cli, crew.bus, { terminal: cli.out.stderr, lend });
      said = budgetOf(id, question, text) ?? (await saidTo(id, question, text, help));
    } catch (error) {
      const { message, hint } = reported(error, null);
      this.#say([printable(message), ...(hint ? [`  ${printable(hint)}`] : [])]);
      return false;
    }
    if (said.note !== undefined) this.#say([said.note]);
    return (await this.#send(said))?.fate !== 'returned';
  }

  /** @returns the first receipt that tells whether the task has taken the message. */
  async #send({ to, message }: Said): Promise<Receipt | null> {
    const { cli, crew, signal } = this.#options;
    const sent = await crew.steer(to, message);
    for await (const receipt of crew.receipts(to, sent, signal)) {
      if (receipt.fate === 'accepted') continue;
      this.#say([`  ${receiptLine(to, receipt, cli.out.paint.stderr)}`]);
      return receipt;
    }
    return null;
  }

  #say(lines: readonly string[]): void {
    this.#options.cli.out.note(lines);
  }

  #checkSoon(): void {
    if (this.#check) clearTimeout(this.#check);
    this.#check = null;
    if (this.#open.length === 0) return;
    this.#check = setTimeout(() => {
      void this.#isStalled()
        .catch(() => false)
        .then((isStalled) => this.#found(isStalled));
    }, quietMs);
  }

  #found(isStalled: boolean): void {
    if (this.#options.signal.aborted) return;
    if (isStalled && this.#stalledAt === null)
      this.#options.tree.print([
        `Nothing else can go on. Ends in ${graceMs / 1_000} s unless it is answered from elsewhere (--on-question).`,
      ]);
    this.#stalledAt = isStalled ? (this.#stalledAt ?? performance.now()) : null;
    if (this.#stalledAt !== null && performance.now() - this.#stalledAt >= graceMs) this.#stalled.resolve('stalled');
    else this.#checkSoon();
  }

  /** Whether every task of the tree has ended or waits, and no goal in it has still to read the end of a sub-task. */
  async #isStalled(): Promise<boolean> {
    const { crew, view } = this.#options;
    const open = (await crew.tasks(rootOf(view.id))).filter(({ outcome }) => outcome === null);
    if (!open.every(({ phase }) => phase === 'parked') || !open.some(({ question }) => question)) return false;
    return open.every(({ id }) => {
      const running = view.last(id)?.subTasks?.running ?? 0;
      return running <= open.filter(({ parent }) => parent === id).length;
    });
  }
}

/** The word that shows the whole of an approval in place. */
const show = 'show';

const keyOf = ({ id, question }: Asked): string => `${id} ${question.id}`;

/** To a question about a budget, `10 0.50` and `budget 10 0.50` are more steps and dollars. */
function budgetOf(id: TaskId, { kind }: Question, text: string): Said | null {
  const words = text.split(/\s+/);
  const amounts = words[0] === 'budget' ? words.slice(1) : words;
  return kind === 'budget' && /^\d/.test(amounts[0] ?? '') ? { to: id, message: verbs.budget.message(amounts) } : null;
}

/** A refusal that ends an approval as denied; else the choice to stop; else words for the agent. */
function denialOf({ kind, choices = [] }: Question): string {
  if (kind === 'approval') return 'no, no operator is here to decide';
  if (choices.includes('stop')) return 'stop';
  return 'No operator is here to answer. Go on without an answer if that is safe, else stop; say which you did.';
}
