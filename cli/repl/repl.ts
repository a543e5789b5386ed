/**
 * The conversation at the prompt. Lines are taken one after another; events of tasks and the primary's words are printed as they come.
 *
 * A. What is half typed is never lost to what is printed.
 * B. Leaving takes no task down: what is unfinished goes on with the next node.
 * C. Without a terminal the session ends when its input has ended and the work it started is done or waits for the operator.
 */
import type { Crew } from '../../bus/crew.ts';
import { type SteeringInput, TaskSpec } from '../../bus/messages.ts';
import { isTaskId, type TaskId } from '../../bus/task-id.ts';
import type { Log } from '../../platform/log.ts';
import type { MenuEntry } from '../../roster/menu.ts';
import { reported, usageError } from '../errors.ts';
import { eventsOf } from '../events.ts';
import { checkGoal } from '../goal.ts';
import { resultLines } from '../render/events.ts';
import { menuLines } from '../render/menu.ts';
import type { Paint } from '../render/paint.ts';
import { oneLine } from '../render/printable.ts';
import { receiptLine } from '../render/receipt.ts';
import { statusText, summaryLines } from '../render/status.ts';
import { treeLines } from '../render/tree.ts';
import { findTask } from '../session.ts';
import { Board } from './board.ts';
import { complete } from './complete.ts';
import { Flow } from './flow.ts';
import type { History } from './history.ts';
import { readLine } from './input.ts';
import type { Primary } from './primary.ts';
import { Quiet } from './quiet.ts';
import { Screen } from './screen.ts';
import { type Hands, slashCommands } from './slash-commands.ts';

export interface ReplOptions {
  readonly crew: Crew;
  readonly primary: Primary;
  readonly menu: () => readonly MenuEntry[];
  /** Kinds of task that can be dispatched. */
  readonly types: () => readonly string[];
  /** Null: that of the node that works on it. */
  readonly workspace: string | null;
  readonly history: History;
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly paint: Paint;
  readonly log: Log;
}

/** A waiting tree is believed to wait when so long nothing has happened. */
const settledMs = 1000;

export class Repl implements Hands {
  readonly #options: ReplOptions;
  readonly #screen: Screen;
  readonly #board: Board;
  readonly #quiet = new Quiet();
  readonly #ended = new AbortController();
  /** Receipts that are waited for. */
  #sending = 0;
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
          questions: (ref) => this.#openQuestions(ref),
          backends: options.menu().map((entry) => entry.name),
          types: options.types(),
          commands: slashCommands,
        }),
    });
    this.#board = new Board({
      crew,
      paint,
      print: (lines) => this.#screen.print(lines),
      columns: () => this.#screen.columns,
      quiet: this.#quiet,
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
      if (input.kind === 'steer') await this.send(await this.resolve(input.ref), { type: 'steer', text: input.text });
      if (input.kind === 'answer') await this.#answer(input.ref, input.text);
      if (input.kind !== 'command') return;
      const command = slashCommands.find(({ name }) => name === input.name);
      if (!command) throw usageError(`There is no command /${input.name}.`, similar(input.name));
      await command.run(this, input.words, input.rest);
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

  async #answer(ref: string, text: string): Promise<void> {
    const id = await this.resolve(ref);
    const question = (await this.#options.crew.status(id))?.question;
    if (!question) throw usageError(`${id} has no open question.`, `@${id} text, without the question mark, corrects it.`);
    await this.send(id, { type: 'answer', question: question.id, text });
  }

  async resolve(ref: string): Promise<TaskId> {
    return findTask(this.#options.crew, ref, this.#board.lastGoal);
  }

  lastGoal(): TaskId {
    const goal = this.#board.lastGoal;
    if (!goal) throw usageError('There are no tasks yet.', 'Say what is to be done, or /run <goal>.');
    return goal;
  }

  async send(id: TaskId, message: SteeringInput): Promise<void> {
    const { crew, paint } = this.#options;
    const sent = await crew.steer(id, message);
    this.#board.expectReceipt(sent.steer);
    this.#sending += 1;
    let counted = true;
    const taken = async () => {
      if (!counted) return;
      counted = false;
      // What it did to the task is known before it counts as done: a waiting task may have gone on.
      const status = await crew.status(id);
      if (status) await this.#board.take({ kind: 'status', status: { ...status, receipts: [] } });
      this.#sending -= 1;
      this.#quiet.changed();
    };
    const report = async () => {
      for await (const receipt of crew.receipts(id, sent, this.#ended.signal)) {
        if (receipt.fate === 'accepted') continue;
        this.#screen.print([`  ${receiptLine(id, receipt, paint)}`]);
        await taken();
      }
    };
    void report()
      .catch((error) => this.#ended.signal.aborted || this.#fail(error))
      .finally(() => taken().catch(() => {}));
  }

  async dispatch(type: string, instruction: string): Promise<void> {
    const { crew, workspace, types } = this.#options;
    const spec = TaskSpec.safeParse({ type, instruction: checkGoal(instruction, 'the prompt'), workspace });
    if (!spec.success || !types().includes(type))
      throw usageError(`There is no kind of task "${type}".`, `There are: ${types().join(', ')}.`, 'unknown-type');
    const id = await crew.dispatch(spec.data);
    this.#sayDispatched(id, instruction);
    await this.#board.adopt(id, instruction);
  }

  showHelp(): void {
    const { paint } = this.#options;
    const names = slashCommands.map(({ name, args }) => `/${name} ${args}`.trim());
    const width = Math.max(...names.map((name) => name.length));
    this.#screen.print([
      'Plain text goes to the primary agent. @k3xq.4 <text> steers a task, @k3xq.4? <text> answers its question.',
      'A task is named by k3xq.4, by an unambiguous beginning (k3.4, k3), or by .4 in the last goal. Tab completes.',
      ...slashCommands.map(({ summary }, at) => `  ${names[at]!.padEnd(width)}  ${paint.dim(summary)}`),
    ]);
  }

  async showTasks(all: boolean): Promise<void> {
    const tasks = (await this.#options.crew.tasks()).filter((task) => all || task.outcome === null);
    this.#screen.print(
      tasks.length > 0
        ? summaryLines(tasks, this.#options.paint)
        : [all ? 'No tasks.' : 'Nothing is going on. /tasks all shows what is done.'],
    );
  }

  async showStatus(id: TaskId): Promise<void> {
    const status = await this.#options.crew.status(id);
    this.#screen.print(status ? statusText(status, this.#options.paint).split('\n') : [`${id} is waiting for a worker`]);
  }

  async showTree(id: TaskId): Promise<void> {
    const columns = Math.min(this.#screen.columns, 160) - 1;
    this.#screen.print(treeLines(await this.#options.crew.tree(id), this.#options.paint, columns));
  }

  async showResult(id: TaskId): Promise<void> {
    const result = await this.#options.crew.peekResult(id);
    if (result) this.#screen.print(resultLines(result, this.#options.paint, true));
    else this.#screen.print([`${id} has no result yet; it will be shown when it is there. /status ${id} says what it does.`]);
  }

  showMenu(): void {
    this.#screen.print(menuLines(this.#options.menu(), this.#options.paint));
  }

  watch(id: TaskId | null): void {
    if (id === null) this.#board.watched.clear();
    else this.#board.watched.add(id);
    this.note(id === null ? 'Nothing is watched any more.' : `Watching ${id}; /watch off ends it.`);
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
      if (event.type === 'reply' && !flow.end()) this.#screen.print(oneOrMore(event.text));
      if (event.type === 'dispatched') {
        this.#sayDispatched(event.id, event.instruction);
        await this.#board.adopt(event.id, event.instruction);
      }
      if (event.type === 'failed') {
        flow.end();
        this.#say1(`${this.#options.paint.red('cox:')} ${event.error.message} (${event.error.code})`);
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
      const busy = this.#primaryBusy || this.#sending > 0 || this.#board.openGoals.some((goal) => !goal.stalled);
      if (busy) await this.#quiet.next();
      else if (this.#board.openGoals.length === 0 || (await this.#quiet.for(settledMs))) return;
    }
  }

  #greet(): void {
    const { paint } = this.#options;
    const open = this.#board.unfinished.filter((id) => id.endsWith('.0'));
    const lines = open.map((id) => `  ${paint.bold(id)} “${oneLine(this.#board.task(id)?.instruction ?? '', 60)}”`);
    if (lines.length > 0)
      this.#screen.print([`${lines.length === 1 ? 'One goal goes' : `${lines.length} goals go`} on:`, ...lines]);
    this.#screen.prompt();
  }

  #sayGoodbye(): void {
    const { paint } = this.#options;
    const open = this.#board.unfinished;
    if (open.length === 0) return;
    const lines = open.slice(0, 10).map((id) => {
      const question = this.#board.question(id);
      const waits = question ? `waits for you: cox answer ${id} ${question.id} …` : `is ${this.#board.task(id)?.state ?? 'open'}`;
      return `  ${paint.bold(id)} ${waits}`;
    });
    const more = open.length > 10 ? [`  … and ${open.length - 10} more`] : [];
    this.#screen.print([
      'Not done, and not lost:',
      ...lines,
      ...more,
      paint.dim('They go on with the next cox, or with cox up. cox status lists them.'),
    ]);
  }

  #sayDispatched(id: TaskId, instruction: string): void {
    const { paint } = this.#options;
    this.#say1(`${paint.green('→')} ${paint.bold(id)} “${oneLine(instruction, 80)}”`);
  }

  #say1(line: string): void {
    this.#screen.print([line]);
  }

  #fail(error: unknown): void {
    const { paint, log } = this.#options;
    const report = reported(error, null);
    if (report.code === 'internal') log.error({ err: error }, 'a line of the REPL failed');
    this.#screen.print([`${paint.red('cox:')} ${report.message}`, ...(report.hint ? [`  ${paint.dim(report.hint)}`] : [])]);
  }

  #openQuestions(ref: string): string[] {
    const id = isTaskId(ref) ? ref : null;
    const question = id && this.#board.question(id);
    return question ? [question.id] : [];
  }
}

const oneOrMore = (text: string): string[] => (text === '' ? [] : text.split('\n'));

function similar(name: string): string {
  const near = slashCommands.filter((command) => command.name.startsWith(name.slice(0, 2))).map((command) => `/${command.name}`);
  return near.length > 0 ? `Did you mean ${near.join(' or ')}? /help lists all.` : '/help lists them.';
}
