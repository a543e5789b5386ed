/**
 * The REPL's view of the crew: the last known state of every task, and the trees of the goals of this session. It takes events
 * and turns each one into lines for the operator.
 */
import type { Crew } from '../../bus/crew.ts';
import type { CrewEvent } from '../../bus/crew-events.ts';
import type { Question, Status, Usage } from '../../bus/messages.ts';
import type { TaskSummary } from '../../bus/state/tree.ts';
import { goalOf, isTaskId, type TaskId } from '../../bus/task-id.ts';
import { GoalView } from '../goal-view.ts';
import { resultLines, statusLines } from '../render/events.ts';
import type { Paint } from '../render/paint.ts';
import { oneLine } from '../render/printable.ts';
import { Flow, wrapped } from './flow.ts';
import type { Quiet } from './quiet.ts';
import type { Figures } from './status-line.ts';

interface Known {
  readonly outcome: Status['outcome'];
  readonly question: Question | null;
  readonly instruction: string | null;
  readonly state: string;
}

export interface BoardOptions {
  readonly crew: Crew;
  readonly paint: Paint;
  readonly print: (lines: readonly string[]) => void;
  readonly columns: () => number;
  readonly rows: () => number;
  readonly quiet: Quiet;
}

/** A goal with more sub-tasks than this is reported in totals, because a line for each would flood the prompt. */
const crowd = 12;

export class Board {
  readonly #options: BoardOptions;
  readonly #tasks = new Map<string, Known>();
  readonly #last = new Map<string, Status>();
  readonly #goals = new Map<TaskId, GoalView>();
  readonly #flows = new Map<TaskId, Flow>();
  readonly #crowded = new Map<TaskId, number>();
  /** Tasks whose result has been printed. */
  readonly #told = new Set<TaskId>();
  /** Steers of this session. `Operator.send` prints their receipts, so the board does not. */
  readonly #own = new Set<string>();
  readonly watched = new Set<TaskId>();
  /** The goal that a name like `.4` refers to. */
  lastGoal: TaskId | null = null;

  constructor(options: BoardOptions) {
    this.#options = options;
  }

  get ids(): TaskId[] {
    return [...this.#tasks.keys()];
  }

  get unfinished(): TaskId[] {
    return [...this.#tasks].filter(([, task]) => task.outcome === null).map(([id]) => id);
  }

  get ended(): TaskId[] {
    return [...this.#tasks].filter(([, task]) => task.outcome !== null).map(([id]) => id);
  }

  /** A goal is not counted beside its unfinished sub-tasks, and a sub-task that ended is in the usage of its goal. */
  get figures(): Figures {
    const open = this.unfinished;
    const waiting = open.filter((id) => this.question(id)).length;
    const parents = new Set(open.filter((id) => goalOf(id) !== id).map((id) => goalOf(id)));
    const usages = [...this.#last.values()].filter((status) => status.outcome === null || status.id.endsWith('.0'));
    const sum = (of: (usage: Usage) => number) => usages.reduce((total, { usage }) => total + of(usage), 0);
    return {
      running: open.filter((id) => !this.question(id) && !parents.has(id)).length,
      waiting,
      usage: {
        inputTokens: sum((usage) => usage.inputTokens),
        outputTokens: sum((usage) => usage.outputTokens),
        costUsd: sum((usage) => usage.costUsd),
        estimatedUsd: sum((usage) => usage.estimatedUsd ?? 0),
      },
    };
  }

  task(id: TaskId): Known | undefined {
    return this.#tasks.get(id);
  }

  question(id: TaskId): Question | null {
    return this.#tasks.get(id)?.question ?? null;
  }

  /** Trees of this session whose result has not been printed. */
  get openGoals(): GoalView[] {
    return [...this.#goals.values()].filter((view) => !this.#told.has(view.id));
  }

  seed(tasks: readonly TaskSummary[]): void {
    for (const { id, outcome, question, instruction, state } of tasks)
      this.#tasks.set(id, { outcome, question, instruction, state });
    this.lastGoal = tasks.findLast((task) => task.parent === null)?.id ?? this.lastGoal;
  }

  /** Marks a task as one of this session: its result is printed in full, and a piped session waits for it before it ends. */
  async adopt(id: TaskId, instruction: string): Promise<void> {
    this.lastGoal = goalOf(id);
    if (!this.#tasks.has(id)) this.#tasks.set(id, { outcome: null, question: null, instruction, state: 'idle' });
    const view = new GoalView(this.#options.crew, id);
    this.#goals.set(id, view);
    await view.refresh();
    // The task may have ended before it was adopted.
    const status = await this.#options.crew.status(id);
    if (status?.outcome) await this.take({ kind: 'result', id });
  }

  expectReceipt(steer: string): void {
    this.#own.add(steer);
  }

  async take(event: CrewEvent): Promise<void> {
    if (event.kind === 'live') this.#live(event);
    else if (event.kind === 'status') this.#status(event.status);
    else await this.#result(event.id);
    this.#options.quiet.changed();
  }

  #status(status: Status): void {
    const { paint, print } = this.#options;
    const before = this.#last.get(status.id) ?? null;
    this.#last.set(status.id, status);
    // The greeting of the session has already shown this question.
    const toldQuestion = this.#tasks.get(status.id as TaskId)?.question?.id;
    // A steer to a task that never existed is answered by a status of type `unknown` under that id.
    if (isTaskId(status.id) && status.type !== 'unknown') this.#remember(status);
    const goal = this.#goals.get(goalOf(status.id));
    if (goal?.apply(status))
      void goal.refresh().then(
        () => this.#options.quiet.changed(),
        () => {},
      );
    const lines = statusLines(before, status, paint, {
      detail: this.#isWatched(status.id) ? 'every step' : 'news',
      answerWith: '/answer',
      skipReceipt: (steer) => this.#own.has(steer),
      quiet: this.#isOneOfMany(status.id),
      place: { rows: this.#options.rows(), columns: this.#options.columns() },
      ...(toldQuestion !== undefined && { toldQuestion }),
    });
    print([...lines, ...this.#sums(status, before)]);
  }

  #remember({ id, outcome, question, state }: Status): void {
    const instruction = this.#tasks.get(id)?.instruction ?? null;
    this.#tasks.set(id, { outcome, question: outcome === null ? question : null, instruction, state });
  }

  async #result(id: TaskId): Promise<void> {
    const { crew, paint, print } = this.#options;
    const result = await crew.peekResult(id);
    const before = this.#tasks.get(id);
    if (!result || this.#told.has(id)) return;
    this.#told.add(id);
    this.#tasks.set(id, { outcome: result.outcome, question: null, instruction: before?.instruction ?? null, state: 'done' });
    this.#flows.get(id)?.end();
    this.#flows.delete(id);
    const whole = this.#goals.has(id);
    if (!this.#isOneOfMany(id) || result.outcome !== 'completed')
      print(resultLines(result, paint, whole, (text) => wrapped(text, this.#options.columns() - 1)));
  }

  #live({ id, live }: Extract<CrewEvent, { kind: 'live' }>): void {
    if (!this.#isWatched(id)) return;
    const { paint, print, columns } = this.#options;
    let flow = this.#flows.get(id);
    if (!flow) {
      const from = paint.dim(`  ${id} │ `);
      flow = new Flow(
        () => columns() - id.length - 6,
        (line) => print([from + line]),
      );
      this.#flows.set(id, flow);
    }
    if (live.type === 'tool') flow.end();
    flow.push(live.type === 'tool' ? `[${oneLine(live.tool)}] ${live.text}\n` : live.text);
  }

  #isWatched(id: string): boolean {
    return this.watched.has(id) || (isTaskId(id) && this.watched.has(goalOf(id)));
  }

  #isOneOfMany(id: string): boolean {
    return isTaskId(id) && goalOf(id) !== id && this.#crowded.has(goalOf(id)) && !this.#isWatched(id);
  }

  /** Reports the progress of a goal with many sub-tasks, once for every tenth of them. */
  #sums(status: Status, before: Status | null): string[] {
    if (!status.subTasks || status.outcome !== null) return [];
    const { waiting, running, returned, failed, dropped } = status.subTasks;
    const all = waiting + running + returned + failed + dropped;
    if (all <= crowd) return [];
    const ended = returned + failed + dropped;
    const tenth = Math.floor((ended / all) * 10);
    if (before && this.#crowded.get(status.id) === tenth) return [];
    this.#crowded.set(status.id, tenth);
    const { paint } = this.#options;
    return [
      `${paint.dim('·')} ${paint.bold(oneLine(status.id))} ${ended} of ${all} sub-tasks done${failed > 0 ? paint.red(`, ${failed} failed`) : ''}`,
    ];
  }
}
