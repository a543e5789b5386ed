/**
 * The conversation at the prompt. Lines are taken one after another; events of tasks and the primary's words are printed as they come.
 *
 * A. What is half typed is never lost to what is printed.
 * B. Leaving takes no task down: what is unfinished goes on with the next node.
 * C. Without a terminal the session ends when its input has ended and the work it started is done or waits for the operator.
 */
import type { Primary } from '../../actors/primary/primary.ts';
import { goalOf, type TaskId } from '../../bus/task-id.ts';
import type { Log } from '../../platform/log.ts';
import { roomTrouble } from '../capacity.ts';
import { reported, usageError } from '../errors.ts';
import { eventsOf } from '../events.ts';
import { checkGoal } from '../goal.ts';
import { oneLine } from '../render/printable.ts';
import { answerLine } from '../render/question.ts';
import { Board } from './board.ts';
import { complete } from './complete.ts';
import { Flow, wrapped } from './flow.ts';
import type { History } from './history.ts';
import { readLine } from './input.ts';
import { Operator, type OperatorOptions } from './operator.ts';
import { Quiet } from './quiet.ts';
import { Screen } from './screen.ts';
import { slashCommands } from './slash-commands.ts';

export interface ReplOptions extends Pick<OperatorOptions, 'crew' | 'menu' | 'types' | 'workspace' | 'paint'> {
  readonly primary: Primary;
  readonly history: History;
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly log: Log;
}

/** A waiting tree is believed to wait when so long nothing has happened. */
const quietMs = 1000;
const mostNamed = 10;

export class Repl {
  readonly #options: ReplOptions;
  readonly #screen: Screen;
  readonly #board: Board;
  readonly #operator: Operator;
  readonly #quiet = new Quiet();
  readonly #ended = new AbortController();
  #primaryBusy = false;
  /** The last thing that happened was a Ctrl-C: one more leaves. */
  #armed: { typed: string } | null = null;

  constructor(options: ReplOptions) {
    this.#options = options;
    const { crew, paint, history } = options;
    this.#screen = new Screen({
      input: options.input,
      output: options.output,
      prompt: 'cox> ',
      history: history.lines,
      complete: (line) =>
        complete(line, {
          ids: this.#board.unfinished,
          questions: (id) => [this.#board.question(id)?.id ?? []].flat(),
          choices: (id) => this.#board.question(id)?.choices ?? [],
          backends: options.menu().map((entry) => entry.name),
          types: options.types(),
          commands: slashCommands,
        }),
    });
    const print = (lines: readonly string[]) => this.#screen.print(lines);
    const columns = () => this.#screen.columns;
    this.#board = new Board({ crew, paint, print, columns, quiet: this.#quiet });
    this.#operator = new Operator({
      ...options,
      board: this.#board,
      print,
      columns,
      fail: (error) => this.#fail(error),
      quiet: this.#quiet,
      leave: () => this.leave(),
      signal: this.#ended.signal,
    });
    this.#screen.onInterrupt(() => this.interrupt());
  }

  /** Anything that happens elsewhere in the process: the bus is away, a download. */
  note(text: string): void {
    this.#screen.print([this.#options.paint.dim(text)]);
  }

  /** Resolves when the operator has left. */
  async run(): Promise<void> {
    const { crew } = this.#options;
    const seeded = Promise.withResolvers<void>();
    const working = Promise.all([
      this.#followCrew(() =>
        crew
          .tasks()
          .then((tasks) => this.#board.seed(tasks))
          .then(seeded.resolve),
      ),
      this.#followPrimary(),
    ]);
    // A bus that cannot be followed is the end of the session.
    working.catch((error) => {
      this.#fail(error);
      seeded.resolve();
      this.leave();
    });
    await seeded.promise;
    this.#greet();
    void this.#warnOfRoom();
    for await (const line of this.#screen.lines()) {
      this.#armed = null;
      this.#options.history.add(line);
      await this.#take(line);
      if (this.#ended.signal.aborted) break;
    }
    if (!this.#screen.isTerminal) await this.#workDone();
    this.leave();
    await working.catch(() => {});
    this.#sayGoodbye();
  }

  /** Ctrl-C: the first clears the line or stops what the primary is doing, the second leaves. */
  interrupt(): void {
    const { typed } = this.#screen;
    if (this.#armed && typed === this.#armed.typed) {
      this.leave();
      return;
    }
    if (typed !== '') this.#screen.clearTyped();
    const stopped = this.#options.primary.interrupt();
    this.#armed = { typed: this.#screen.typed };
    this.note(`${stopped ? 'Interrupted. ' : ''}Ctrl-C again leaves; tasks stay.`);
  }

  leave(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    this.#screen.close();
    this.#quiet.changed();
  }

  async #take(line: string): Promise<void> {
    try {
      const input = readLine(line);
      if (input.kind === 'say') await this.#say(input.text);
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

  async #say(text: string): Promise<void> {
    checkGoal(text, 'the prompt');
    this.#primaryBusy = true;
    this.#options.primary.say(text);
    // A script's next line is for after the answer; a person may go on typing.
    if (!this.#screen.isTerminal) while (this.#primaryBusy && !this.#ended.signal.aborted) await this.#quiet.next();
  }

  async #followCrew(started: () => Promise<void>): Promise<void> {
    for await (const event of eventsOf(this.#options.crew, null, this.#ended.signal, started)) await this.#board.take(event);
  }

  async #followPrimary(): Promise<void> {
    const { primary } = this.#options;
    const flow = new Flow(
      () => this.#screen.columns - 1,
      (line) => this.#screen.print([line]),
    );
    for await (const event of primary.events(this.#ended.signal)) {
      if (event.type === 'token') flow.push(event.text);
      if (event.type === 'reply' && !flow.end()) this.#screen.print(wrapped(event.text, this.#screen.columns - 1));
      if (event.type === 'dispatched') await this.#operator.adopt(event.id, event.instruction);
      if (event.type === 'failed') {
        flow.end();
        this.#screen.print([`${this.#options.paint.red('cox:')} ${event.error.message} (${event.error.code})`]);
      }
      if (event.type === 'idle') {
        flow.end();
        this.#primaryBusy = false;
      } else this.#primaryBusy = true;
      this.#quiet.changed();
    }
  }

  /** C. */
  async #workDone(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const busy = this.#primaryBusy || this.#operator.isSending || this.#board.openGoals.some((goal) => !goal.stalled);
      if (busy) await this.#quiet.next();
      else if (this.#board.openGoals.length === 0 || (await this.#quiet.for(quietMs))) return;
    }
  }

  /** What is not done yet. Sub-tasks are told of only where they wait for the operator. */
  #greet(): void {
    const { paint } = this.#options;
    const open = this.#board.unfinished.filter((id) => goalOf(id) === id || this.#board.question(id));
    const lines = open.slice(0, mostNamed).map((id) => {
      const about = paint.dim(`“${oneLine(this.#board.task(id)?.instruction ?? '', 60)}”`);
      return `  ${paint.bold(id)} ${this.#stateOf(id, '/answer')} ${about}`;
    });
    if (lines.length > 0) this.#screen.print(['Not done yet:', ...lines, ...more(open.length)]);
    this.#screen.prompt();
  }

  async #warnOfRoom(): Promise<void> {
    const trouble = await roomTrouble(this.#options.crew.bus).catch(() => null);
    if (trouble) this.note(`${trouble.message} ${trouble.hint}`);
  }

  #sayGoodbye(): void {
    const { paint } = this.#options;
    const open = this.#board.unfinished;
    if (open.length === 0) return;
    const lines = open.slice(0, mostNamed).map((id) => `  ${paint.bold(id)} ${this.#stateOf(id, 'cox answer')}`);
    this.#screen.print([
      'Not done, and not lost:',
      ...lines,
      ...more(open.length),
      paint.dim(
        'What waits for you goes on when it is answered, all else with the next cox or cox up that runs. cox status lists them.',
      ),
    ]);
  }

  /** @param command how an answer is spelt: `/answer`, `cox answer`. */
  #stateOf(id: TaskId, command: string): string {
    const question = this.#board.question(id);
    if (!question) return `is ${this.#board.task(id)?.state ?? 'open'}`;
    return `waits for you: ${answerLine(id, question, command)}`;
  }

  #fail(error: unknown): void {
    const { paint, log } = this.#options;
    const report = reported(error, null);
    if (report.code === 'internal') log.error({ err: error }, 'a line of the REPL failed');
    this.#screen.print([`${paint.red('cox:')} ${report.message}`, ...(report.hint ? [`  ${paint.dim(report.hint)}`] : [])]);
  }
}

const more = (count: number): string[] => (count > mostNamed ? [`  … and ${count - mostNamed} more`] : []);

function similar(name: string): string {
  const near = slashCommands.filter((command) => command.name.startsWith(name.slice(0, 2))).map((command) => `/${command.name}`);
  return near.length > 0 ? `Did you mean ${near.join(' or ')}? /help lists all.` : '/help lists them.';
}
