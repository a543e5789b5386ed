/**
 * The session at the prompt. It handles lines one after another and prints task events and the primary's words as they arrive.
 *
 * - A half-typed line is never lost when other text is printed.
 * - Leaving the prompt ends no task: unfinished tasks continue on the next node.
 * - Without a terminal the session ends when its input has ended and the work it started is done or waits for the operator.
 */
import type { Primary } from '../../actors/primary/events.ts';
import { goalOf, type TaskId } from '../../bus/task-id.ts';
import type { Log } from '../../platform/log.ts';
import { type ApprovalHelp, wordsFor } from '../approval.ts';
import type { Lend } from '../ask.ts';
import { capacityTrouble } from '../capacity.ts';
import { reported, usageError } from '../errors.ts';
import { eventsOf } from '../events.ts';
import { checkGoal } from '../goal.ts';
import { oneLine, printable } from '../render/printable.ts';
import { answerLine } from '../render/question.ts';
import { fileCandidates, isFile, withAttachments } from './attachments.ts';
import { complete, type Known } from './complete.ts';
import type { History } from './history.ts';
import { readLine } from './input.ts';
import { openScreen } from './open-screen.ts';
import { Operator, type OperatorOptions } from './operator.ts';
import { page } from './pager.ts';
import { Quiet } from './quiet.ts';
import type { Screen } from './screen.ts';
import { slashCommands } from './slash-commands.ts';
import { Speech } from './speech.ts';
import { StatusLine, statusLineText } from './status-line.ts';
import { Board } from './task-board.ts';

export interface ReplOptions extends Pick<OperatorOptions, 'crew' | 'menu' | 'types' | 'workspace' | 'paint'> {
  readonly primary: Primary;
  /** @param lend keeps the prompt off the terminal while an editor has it. */
  readonly helpWith: (lend: Lend) => ApprovalHelp;
  readonly history: History;
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly log: Log;
  readonly env: NodeJS.ProcessEnv;
}

/** A tree that waits for the operator must be unchanged for this long (ms) before the session counts it as waiting. */
const quietMs = 1000;
const mostNamed = 10;

export class Repl {
  readonly #options: ReplOptions;
  readonly #screen: Screen;
  readonly #board: Board;
  readonly #operator: Operator;
  readonly #help: ApprovalHelp;
  readonly #speech: Speech;
  readonly #quiet = new Quiet();
  readonly #status = new StatusLine(() => this.#showStatus());
  readonly #ended = new AbortController();
  #primaryBusy = false;
  /** The lines that were not answered when the operator left. */
  #unanswered: readonly string[] = [];
  /** Set after a Ctrl-C that had nothing to set aside or to interrupt. The next one leaves the prompt. */
  #isArmed = false;
  /** The half-typed text that Ctrl-C moved to the history last. */
  #setAside = '';

  constructor(options: ReplOptions) {
    this.#options = options;
    const { crew, paint, history } = options;
    this.#screen = openScreen(
      { input: options.input, output: options.output, prompt: 'cox> ', history, complete: (line) => complete(line, this.#known) },
      options.env,
    );
    this.#help = options.helpWith((run) => this.#screen.lend(run));
    const print = (lines: readonly string[]) => this.#screen.print(lines);
    const columns = () => this.#screen.columns;
    const rows = () => this.#screen.rows;
    this.#board = new Board({ crew, paint, print, columns, rows, quiet: this.#quiet });
    this.#speech = new Speech({ paint, print, columns });
    this.#operator = new Operator({
      ...options,
      board: this.#board,
      print,
      columns,
      fail: (error) => this.#fail(error),
      quiet: this.#quiet,
      leave: () => this.leave(),
      edit: (text) => this.#edit(text || this.#setAside),
      page: (lines) => page(this.#screen, options.env, lines),
      help: this.#help,
      signal: this.#ended.signal,
    });
    this.#screen.onInterrupt(() => this.interrupt());
    this.#screen.onEscape(() => this.#stopAnswer());
    this.#screen.onEdit(() => void this.#edit(this.#screen.typed).catch((error) => this.#fail(error)));
  }

  get #known(): Known {
    const { menu, types } = this.#options;
    return {
      ids: this.#board.unfinished,
      ended: this.#board.ended,
      questions: (id) => [this.#board.question(id)?.id ?? []].flat(),
      choices: (id) => {
        const question = this.#board.question(id);
        return question ? wordsFor(question) : [];
      },
      numbers: this.#operator.inboxNumbers,
      backends: menu().map((entry) => entry.name),
      types: types(),
      files: (typed) => fileCandidates(typed, this.#folder),
      commands: slashCommands,
    };
  }

  /** The folder that file names are relative to. */
  get #folder(): string {
    return this.#options.workspace ?? process.cwd();
  }

  /** Prints a message from elsewhere in the process, such as a lost connection or a download. */
  note(text: string): void {
    this.#screen.print([this.#options.paint.dim(text)]);
  }

  /** Resolves when the operator has left. */
  async run(): Promise<void> {
    const { crew } = this.#options;
    const seeded = Promise.withResolvers<void>();
    // Who leaves during the start does not wait for the list of tasks.
    this.#ended.signal.addEventListener('abort', () => seeded.resolve(), { once: true });
    const working = Promise.all([
      this.#followCrew(() =>
        crew
          .tasks()
          .then((tasks) => this.#board.seed(tasks))
          .then(seeded.resolve),
      ),
      this.#followPrimary(),
    ]);
    // If the session cannot follow the bus, it ends.
    working.catch((error) => {
      this.#fail(error);
      seeded.resolve();
      this.leave();
    });
    await seeded.promise;
    this.#greet();
    void this.#warnOfFullBus();
    // A script has its own lines and no others.
    if (this.#screen.isTerminal)
      this.#options.primary.rejoin(this.#ended.signal).catch((error) => this.#ended.signal.aborted || this.#fail(error));
    for await (const line of this.#screen.lines()) {
      this.#isArmed = false;
      await this.#take(line);
      if (this.#ended.signal.aborted) break;
    }
    if (!this.#screen.isTerminal) await this.#workDone();
    this.leave();
    await Promise.all([working.catch(() => {}), this.#screen.released]);
    this.#sayGoodbye();
  }

  /** Handles Ctrl-C. A press does one thing: it moves a half-typed text to the history, interrupts the answer, warns, or leaves. */
  interrupt(): void {
    if (this.#screen.typed !== '') {
      this.#isArmed = false;
      this.#setAside = this.#screen.typed;
      this.#screen.setAside();
      this.note('The text is in the history: the up arrow brings it back.');
      return;
    }
    if (this.#stopAnswer()) return;
    if (this.#isArmed) {
      this.leave();
      return;
    }
    this.#isArmed = true;
    this.note('Ctrl-C again leaves the prompt; tasks are kept.');
  }

  /** Interrupts the answer under way. @returns whether there was one. */
  #stopAnswer(): boolean {
    return this.#options.primary.interrupt();
  }

  leave(): void {
    if (this.#ended.signal.aborted) return;
    this.#unanswered = this.#options.primary.unanswered().map(({ text }) => text);
    this.#ended.abort();
    this.#status.stop();
    this.#screen.close();
    this.#quiet.changed();
  }

  async #take(line: string): Promise<void> {
    try {
      if (await this.#operator.confirms(line)) return;
      const input = readLine(line, takesText, (name) => isFile(name, this.#folder));
      if (input.kind === 'say') await this.#say(await this.#attached(input.text));
      if (input.kind === 'answer') await this.#operator.answer(input.ref, input.text);
      if (input.kind === 'steer')
        await this.#operator.send(await this.#operator.resolve(input.ref), { type: 'steer', text: input.text });
      if (input.kind !== 'command') return;
      const command = slashCommands.find(({ name }) => name === input.name);
      if (!command) throw usageError(`There is no command /${input.name}.`, similar(input.name));
      await command.run(this.#operator, input.words, input.rest);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Puts the edited text at the prompt, where Enter sends it. */
  async #edit(text: string): Promise<void> {
    this.#screen.put((await this.#help.edit(text === '' ? '' : `${text}\n`, '.md')).trimEnd());
    this.#setAside = '';
  }

  /** The message with the files that it names, and a line for each that says so. */
  async #attached(said: string): Promise<string> {
    const { text, notes } = await withAttachments(said, this.#folder);
    if (notes.length > 0) this.#screen.print(notes.map((note) => `  ${this.#options.paint.dim(note)}`));
    return text;
  }

  async #say(text: string): Promise<void> {
    // A mark in front lets the line pass those that wait.
    const first = text.startsWith('!');
    const said = first ? text.slice(1).trim() : text;
    checkGoal(said, 'the prompt');
    this.#primaryBusy = true;
    this.#options.primary.say(said, { first });
    // In a script the next line waits for the answer; a person can continue to type.
    if (!this.#screen.isTerminal) while (this.#primaryBusy && !this.#ended.signal.aborted) await this.#quiet.next();
  }

  async #followCrew(started: () => Promise<void>): Promise<void> {
    for await (const event of eventsOf(this.#options.crew, null, this.#ended.signal, started)) {
      await this.#board.take(event);
      if (event.kind !== 'live') this.#status.changed();
    }
  }

  async #followPrimary(): Promise<void> {
    for await (const event of this.#options.primary.events(this.#ended.signal)) {
      this.#speech.take(event);
      if (event.type === 'dispatched') await this.#operator.adopt(event.id, event.instruction);
      if (event.type === 'began') this.#primaryBusy = true;
      if (event.type === 'idle') this.#primaryBusy = false;
      this.#quiet.changed();
    }
  }

  /** C. Waits until all work is done or waits for the operator. */
  async #workDone(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const busy = this.#primaryBusy || this.#operator.isSending || this.#board.openGoals.some((goal) => !goal.stalled);
      if (busy) await this.#quiet.next();
      else if (this.#board.openGoals.length === 0 || (await this.#quiet.for(quietMs))) return;
    }
  }

  /** Lists the unfinished goals, and those sub-tasks that wait for the operator. */
  #greet(): void {
    const { paint } = this.#options;
    const open = this.#board.unfinished.filter((id) => goalOf(id) === id || this.#board.question(id));
    const lines = open.slice(0, mostNamed).map((id) => {
      const about = paint.dim(`“${oneLine(this.#board.task(id)?.instruction ?? '', 60)}”`);
      return `  ${paint.bold(id)} ${this.#stateOf(id, '/answer')} ${about}`;
    });
    if (lines.length > 0) this.#screen.print(['Not done yet:', ...lines, ...more(open.length)]);
    this.#screen.prompt();
    this.#status.changed();
  }

  #showStatus(): void {
    const { env, paint } = this.#options;
    if (env.COX_STATUS_LINE !== 'off') this.#screen.showStatus(statusLineText(this.#board.figures, paint));
  }

  async #warnOfFullBus(): Promise<void> {
    const trouble = await capacityTrouble(this.#options.crew.bus).catch(() => null);
    if (trouble) this.note(`${trouble.message} ${trouble.hint}`);
  }

  #sayGoodbye(): void {
    const { paint } = this.#options;
    const waiting = this.#unanswered;
    if (waiting.length > 0)
      this.#screen.print([
        'Said and not answered; the next cox goes on with it:',
        ...waiting.map((text) => `  ${paint.dim('»')} ${oneLine(text, 72)}`),
      ]);
    const open = this.#board.unfinished;
    if (open.length === 0) return;
    const lines = open.slice(0, mostNamed).map((id) => `  ${paint.bold(id)} ${this.#stateOf(id, 'cox answer')}`);
    this.#screen.print([
      'Not done, and not lost:',
      ...lines,
      ...more(open.length),
      paint.dim(
        'Tasks that wait for you continue when you answer, all others with the next cox or cox up. cox status lists them.',
      ),
    ]);
  }

  /** @param command the command that answers a question: `/answer` or `cox answer`. */
  #stateOf(id: TaskId, command: string): string {
    const question = this.#board.question(id);
    if (!question) return `is ${oneLine(this.#board.task(id)?.state ?? 'open')}`;
    return `waits for you: ${answerLine(id, question, command)}`;
  }

  #fail(error: unknown): void {
    const { paint, log } = this.#options;
    const report = reported(error, null);
    if (report.code === 'internal') log.error({ err: error }, 'a line of the REPL failed');
    this.#screen.print([
      `${paint.red('cox:')} ${printable(report.message)}`,
      ...(report.hint ? [`  ${paint.dim(printable(report.hint))}`] : []),
    ]);
  }
}

const more = (count: number): string[] => (count > mostNamed ? [`  … and ${count - mostNamed} more`] : []);

const takesText = (name: string): boolean => slashCommands.some((each) => each.name === name && /\.\.\.[>\]]$/.test(each.args));

function similar(name: string): string {
  const near = slashCommands.filter((command) => command.name.startsWith(name.slice(0, 2))).map((command) => `/${command.name}`);
  return near.length > 0 ? `Did you mean ${near.join(' or ')}? /help lists all.` : '/help lists them.';
}
