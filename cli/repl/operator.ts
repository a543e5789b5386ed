/** The actions behind the slash commands: show tasks, steer them, start new ones. */
import type { Crew } from '../../bus/crew.ts';
import { type SteeringInput, TaskSpec } from '../../bus/messages.ts';
import { allNodes } from '../../bus/nodes.ts';
import type { TaskQuery } from '../../bus/state/task-list.ts';
import { Talk } from '../../bus/talk/talk.ts';
import type { TaskId } from '../../bus/task-id.ts';
import { planUndo, startUndo } from '../../bus/undo.ts';
import type { MenuEntry } from '../../roster/menu.ts';
import { type ApprovalHelp, meant } from '../approval.ts';
import { readArtifact } from '../artifact.ts';
import { askingBelow } from '../asking-below.ts';
import { capacityTrouble } from '../capacity.ts';
import { findLetter } from '../dead-letter-ref.ts';
import { usageError } from '../errors.ts';
import { checkGoal } from '../goal.ts';
import { type Named, namedBy } from '../inbox.ts';
import { lettersOf } from '../letters.ts';
import { listedRows } from '../page-options.ts';
import { withPlanKeys } from '../plan-keys.ts';
import { artifactLines } from '../render/artifacts.ts';
import { letterLines, retriedLine } from '../render/dead-letters.ts';
import { resultLines } from '../render/events.ts';
import { menuLines } from '../render/menu.ts';
import { moreLines } from '../render/more.ts';
import { nodeLines } from '../render/nodes.ts';
import type { Paint } from '../render/paint.ts';
import { oneLine, printable } from '../render/printable.ts';
import { receiptLine } from '../render/receipt.ts';
import { statusReport, summaryLines } from '../render/status.ts';
import { markColumns, talkRows } from '../render/talk.ts';
import { treeLines } from '../render/tree.ts';
import { undoLines } from '../render/undo.ts';
import { findTask } from '../session.ts';
import { wrapped } from './flow.ts';
import { InboxDesk } from './inbox-desk.ts';
import type { Quiet } from './quiet.ts';
import { type Hands, slashCommands } from './slash-commands.ts';
import type { Board } from './task-board.ts';

export interface OperatorOptions {
  readonly crew: Crew;
  readonly board: Board;
  readonly menu: () => readonly MenuEntry[];
  /** Kinds of task that can be dispatched. */
  readonly types: () => readonly string[];
  /** The workspace of dispatched tasks. Null: that of the node that claims the task. */
  readonly workspace: string | null;
  readonly paint: Paint;
  readonly print: (lines: readonly string[]) => void;
  readonly columns: () => number;
  readonly fail: (error: unknown) => void;
  readonly quiet: Quiet;
  readonly leave: () => void;
  readonly edit: (text: string) => Promise<void>;
  /** Prints lines; more than the screen holds go through the operator's pager. */
  readonly page: (lines: readonly string[]) => Promise<void>;
  /** What is done for the words of an approval: an editor, a change of the roster. */
  readonly help: ApprovalHelp;
  /** Aborts at the end of the session, which ends the wait for receipts. */
  readonly signal: AbortSignal;
}

export class Operator implements Hands {
  readonly #options: OperatorOptions;
  readonly #desk: InboxDesk;
  /** Number of steers whose effect on their task is not known yet. */
  #sending = 0;

  constructor(options: OperatorOptions) {
    this.#options = options;
    this.#desk = new InboxDesk({ ...options, send: (id, said) => this.send(id, said) });
  }

  get isSending(): boolean {
    return this.#sending > 0;
  }

  resolve(ref: string): Promise<TaskId> {
    return findTask(this.#options.crew, ref, this.#options.board.lastGoal);
  }

  lastGoal(): TaskId {
    const goal = this.#options.board.lastGoal;
    if (!goal) throw usageError('There are no tasks yet.', 'Type a request, or /run <goal>.');
    return goal;
  }

  get inboxNumbers(): readonly string[] {
    return this.#desk.numbers;
  }

  showInbox(): Promise<void> {
    return this.#desk.show();
  }

  answerByNumber(named: Named, text: string): Promise<void> {
    return this.#desk.answer(named, text);
  }

  /** Whether the line was taken as the answer to a confirmation that the operator was asked for. */
  confirms(line: string): Promise<boolean> {
    return this.#desk.confirms(line);
  }

  async answer(ref: string, text: string): Promise<void> {
    const named = namedBy(ref, undefined);
    if (named !== null) return this.answerByNumber(named, text);
    const id = await this.resolve(ref);
    const question = (await this.#options.crew.status(id))?.question;
    if (!question)
      throw usageError(`${id} has no open question.`, `To correct the task, leave out the question mark: @${id} text.`);
    await this.send(id, { type: 'answer', question: question.id, text });
  }

  /** Resolves when the bus has stored the message. Its receipts are printed when they arrive. */
  async send(id: TaskId, said: SteeringInput): Promise<void> {
    const { crew, help } = this.#options;
    const { to, message, note } = await meant(crew, id, said, help);
    if (note !== undefined) this.#options.print([note]);
    await this.#deliver(to, await withPlanKeys(crew, to, message));
  }

  async #deliver(id: TaskId, message: SteeringInput): Promise<void> {
    const { crew, board, quiet, signal, fail, print, paint } = this.#options;
    const sent = await crew.steer(id, message);
    board.expectReceipt(sent.steer);
    this.#sending += 1;
    let isCounted = true;
    const taken = async () => {
      if (!isCounted) return;
      isCounted = false;
      // The board must know the task's new status before the steer counts as done, because a waiting task may have continued.
      const status = await crew.status(id);
      if (status) await board.take({ kind: 'status', status: { ...status, receipts: [] } });
      this.#sending -= 1;
      quiet.changed();
    };
    const report = async () => {
      for await (const receipt of crew.receipts(id, sent, signal)) {
        if (receipt.fate === 'accepted') continue;
        print([`  ${receiptLine(id, receipt, paint)}`]);
        await taken();
      }
    };
    void report()
      .catch((error) => signal.aborted || fail(error))
      .finally(() => taken().catch(() => {}));
  }

  async dispatch(type: string, instruction: string): Promise<void> {
    const { crew, workspace, types } = this.#options;
    const spec = TaskSpec.safeParse({ type, instruction: checkGoal(instruction, 'the prompt'), workspace });
    if (!spec.success || !types().includes(type))
      throw usageError(`There is no kind of task "${type}".`, `There are: ${types().join(', ')}.`, 'unknown-type');
    await this.adopt(await crew.dispatch(spec.data), instruction);
  }

  /** Announces a task that was dispatched for this session and adds it to the board. */
  async adopt(id: TaskId, instruction: string): Promise<void> {
    const { paint, print, board } = this.#options;
    print([`${paint.green('→')} ${paint.bold(id)} “${oneLine(instruction, 80)}”`]);
    await board.adopt(id, instruction);
  }

  showHelp(): void {
    const { paint, print } = this.#options;
    const names = slashCommands.map(({ name, args }) => `/${name} ${args}`.trim());
    const width = Math.max(...names.map((name) => name.length));
    print([
      'Plain text goes to the primary agent. @k3xq.4 <text> steers a task,',
      '@k3xq.4? <text> answers its question. Name a task by its id (k3xq.4), a',
      'prefix of it (k3.4, k3), or its number in the last goal (.4). Tab completes.',
      '@notes.txt in a message attaches the file. Alt-Enter begins a new line.',
      'An approval takes yes; no and why; edit (in $EDITOR); goal (allow the tool in',
      'the whole goal); always (the same, and write it into the roster).',
      ...slashCommands.map(({ summary }, at) => `  ${names[at]!.padEnd(width)}  ${paint.dim(summary)}`),
    ]);
  }

  async showTasks(all: boolean): Promise<void> {
    const { crew, print, paint } = this.#options;
    const query: TaskQuery = { limit: listedRows, ...(!all && { state: ['unfinished'] }) };
    const { rows: tasks, more } = await crew.taskPage(query);
    const trouble = await capacityTrouble(crew.bus);
    if (trouble) print([paint.red(trouble.message), trouble.hint]);
    const none = all ? 'No tasks.' : 'No unfinished tasks. /tasks all lists the finished ones.';
    print(tasks.length > 0 ? summaryLines(tasks, paint) : [none]);
    this.#tellOfMore(more, `cox status${all ? ' --all' : ''}`);
  }

  /** The prompt has no pages. */
  #tellOfMore(more: number, command: string): void {
    if (more > 0)
      this.#options.print([this.#options.paint.dim(`${more.toLocaleString('en')} more: ${command} in a shell has pages`)]);
  }

  async showStatus(id: TaskId): Promise<void> {
    const { crew, print, paint } = this.#options;
    const status = await crew.status(id);
    const asking = status ? await askingBelow(crew, status) : 0;
    print(status ? statusReport(status, crew.bus.now(), paint, '/answer', asking) : [`${id} is waiting for a worker`]);
  }

  async showTree(id: TaskId): Promise<void> {
    const { crew, print, paint, columns } = this.#options;
    print(treeLines(await crew.tree(id), paint, Math.min(columns(), 160) - 1));
  }

  async showResult(id: TaskId): Promise<void> {
    const { crew, print, page, paint, columns } = this.#options;
    const result = await crew.peekResult(id);
    if (result) await page(resultLines(result, paint, true, (text) => wrapped(text, columns() - 1)));
    else print([`${id} has no result yet; it is printed when the task ends. /status ${id} shows its state.`]);
  }

  async showTalk(lines = '20'): Promise<void> {
    const { crew, print, paint, columns } = this.#options;
    const most = Number(lines);
    if (!Number.isInteger(most) || most < 1) throw usageError('/talk needs a number of lines.', 'As in: /talk 20');
    const said = (await new Talk(crew.bus).lines()).slice(-most);
    if (said.length === 0) print(['Nothing has been said yet.']);
    for (const { line } of said) print(talkRows(line, paint, (text) => wrapped(text, columns() - 1 - markColumns)));
  }

  showMenu(): void {
    this.#options.print(menuLines(this.#options.menu(), this.#options.paint, new Date()));
  }

  async showNodes(): Promise<void> {
    const { crew, print, paint } = this.#options;
    print(nodeLines(await allNodes(crew.bus), crew.bus.now(), paint));
  }

  async dead(action: string | undefined, ref: string | undefined): Promise<void> {
    const { crew, print, paint, signal, fail } = this.#options;
    if (action !== undefined && action !== 'retry' && action !== 'drop')
      throw usageError(`There is no "/dead ${action}".`, 'There are: /dead, /dead retry <id>, /dead drop <id>.');
    const letters = await lettersOf(crew);
    if (action === undefined) {
      const { rows, more } = await letters.page({ limit: listedRows });
      print(letterLines(rows, crew.bus.now(), paint, '/dead'));
      return this.#tellOfMore(more, 'cox dead');
    }
    if (ref === undefined) throw usageError('Which dead letter?', `/dead lists them, as in: /dead ${action} k3xq.4.`);
    const { id } = findLetter(await letters.list(), ref);
    if (action === 'drop') {
      await letters.drop(id);
      return print([`${id} is dropped`]);
    }
    // Not awaited, because the goal may take a while to answer and the operator can continue to type.
    void letters.retry(id, signal).then(
      (retried) => signal.aborted || print([retriedLine(retried, paint)]),
      (error) => signal.aborted || fail(error),
    );
  }

  async undo(id: TaskId, step: number | null, isSure: boolean): Promise<void> {
    const { crew, print, paint } = this.#options;
    const plan = await planUndo(crew, id, step);
    const again = `/undo ${id}${step === null ? '' : ` ${step}`} yes`;
    const isAsked = plan.files.length > 0 && !isSure;
    print([...undoLines(plan, paint), ...(isAsked ? [paint.dim(`    ${again}`)] : [])]);
    if (plan.files.length > 0 && isSure) await this.adopt(await startUndo(crew, plan), `undo ${id}`);
  }

  async showArtifact(name: string): Promise<void> {
    const { crew, print } = this.#options;
    const { content } = await readArtifact(crew, name);
    print(content ? printable(Buffer.from(content.bytes).toString()).trimEnd().split('\n') : [`${name}: there was no file.`]);
  }

  async showArtifacts(id: TaskId): Promise<void> {
    const { crew, print, paint } = this.#options;
    const { rows, next, more } = await crew.artifactPage(id, { limit: listedRows });
    print([...artifactLines(rows, id, crew.bus.now(), paint, 'cox artifacts get'), ...moreLines({ next, more }, paint)]);
  }

  watch(id: TaskId | null): void {
    const { board, print, paint } = this.#options;
    if (id === null) board.watched.clear();
    else board.watched.add(id);
    print([paint.dim(id === null ? 'Nothing is watched any more.' : `Watching ${id}; /watch off ends it.`)]);
  }

  edit(text: string): Promise<void> {
    return this.#options.edit(text);
  }

  leave(): void {
    this.#options.leave();
  }
}
