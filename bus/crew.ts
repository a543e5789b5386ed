/** The operations of a client of the bus: dispatch, steer, watch and read tasks. The command line uses only these. */

import type { z } from 'zod';
import { CoxError } from '../platform/errors.ts';
import { artifactPage } from './artifacts/artifact-list.ts';
import { Artifacts, type MadeArtifact } from './artifacts/artifacts.ts';
import { wholeOutput } from './artifacts/long-text.ts';
import type { ReadableArtifacts } from './artifacts/remote-artifacts.ts';
import { askNodeAgain } from './ask-node.ts';
import { answered, lookMs } from './away.ts';
import type { Bus } from './bus.ts';
import { isFull } from './capacity/backpressure.ts';
import { type CostQuery, type Costs, readCosts } from './costs/costs.ts';
import { type CrewEvent, watch } from './crew-events.ts';
import { beginningOfFork, type ForkOptions, forkSpec } from './journal/fork.ts';
import { type JournalOptions, journalPage } from './journal/journal.ts';
import { JournalQuery, type JournalReply } from './journal/journal-messages.ts';
import { listen } from './listen.ts';
import { fateOfSteer } from './log/fate-of-steer.ts';
import { receiptsTold } from './log/receipts-told.ts';
import {
  type ArtifactRow,
  noUsage,
  type Receipt,
  type Result,
  type Seal,
  type Status,
  type SteeringInput,
  SteeringMessage,
  TaskSpec,
  type TreeNode,
} from './messages.ts';
import type { Page, PageQuery } from './page.ts';
import { describe } from './parse-message.ts';
import { publish } from './publish.ts';
import { enqueue } from './queue/task-queue.ts';
import { undoDispatch } from './queue/undo-dispatch.ts';
import { onReconnect } from './reconnections.ts';
import { allRecords } from './state/all-records.ts';
import { type OpenQuestion, openQuestions, type QuestionQuery, questionPage } from './state/open-questions.ts';
import { newRecord, type StateRecord } from './state/state-record.ts';
import { createState, readState } from './state/state-store.ts';
import { type TaskQuery, taskPage } from './state/task-list.ts';
import { planned, summariesOf, type TaskSummary, treeOf, treePage } from './state/tree.ts';
import { goalOf, isTaskId, newRoot, parentOf, rootOf, type TaskId } from './task-id.ts';
import { doesChores } from './team/chores.ts';
import { signatureMs } from './team/signature.ts';

/** A steer that the log stream has stored. */
export interface Sent {
  /** Id of the steer. */
  readonly steer: string;
  /** Its sequence in the log stream. A task takes its steers in this order. */
  readonly seq: number;
}

/** A task to be stored. */
interface NewTask {
  readonly id: TaskId;
  readonly spec: TaskSpec;
  readonly seal: Seal | undefined;
}
type SealedTask = NewTask & { readonly seal: Seal };

export interface CrewOptions {
  /** Name of this client, shown in records and logs. */
  readonly name: string;
  /** Default: the clock of the bus. */
  readonly now?: () => Date;
  /** Source of random bytes for ids. Default: `crypto.getRandomValues`. */
  readonly random?: (bytes: Uint8Array) => Uint8Array;
}

export class Crew {
  readonly bus: Bus;
  readonly #name: string;
  readonly #now: () => Date;
  readonly #random: (bytes: Uint8Array) => Uint8Array;

  constructor(bus: Bus, { name, now = bus.now, random = (bytes) => crypto.getRandomValues(bytes) }: CrewOptions) {
    this.bus = bus;
    this.#name = name;
    this.#now = now;
    this.#random = random;
  }

  /** Name of this client. */
  get name(): string {
    return this.#name;
  }

  /**
   * Puts a task on the queue (rule `dispatch`). Resolves when its state record and its ticket are stored.
   * @throws CoxError `bad-task`, which names the invalid field; `stream-full` if the bus is full, in which case nothing is
   * stored.
   */
  async dispatch(spec: z.input<typeof TaskSpec>, signal?: AbortSignal): Promise<TaskId> {
    const parsed = TaskSpec.safeParse(spec);
    if (!parsed.success)
      throw new CoxError('bad-task', `Not a task: ${describe(parsed.error)}`, { hint: 'Correct the named field.' });
    for (;;) {
      const id = goalOf(`${newRoot(this.#random)}.0`);
      const seal = this.bus.team?.seal(id, parsed.data, this.#now());
      if (await this.#submit({ id, spec: parsed.data, seal }, signal)) return id;
    }
  }

  /**
   * Stores a new task and its ticket, or has a node do so if this member may not.
   * @returns false if there is a task with this id. @throws CoxError `stream-full`.
   */
  async #submit({ id, spec, seal }: NewTask, signal?: AbortSignal): Promise<boolean> {
    if (!doesChores(this.bus)) {
      // An order that was taken is not taken twice.
      await askNodeAgain(this.bus, 'order', { id, spec, seal });
      return true;
    }
    // Without an await where there is nothing to read: what is written in one tick goes to the stream together.
    const earlier = spec.forkOf ? await beginningOfFork(this.bus, spec) : null;
    const record = newRecord(id, spec, this.#name, this.#now().toISOString());
    const created = await createState(this.bus, { ...record, ...(seal && { seal }), ...(earlier && { earlier }) }, signal);
    if (!created) return false;
    await enqueue(this.bus, spec.type, 'pending', { id, run: 1 }, signal).catch(async (cause: unknown) => {
      if (isFull(cause)) await undoDispatch(this.bus, created);
      throw cause;
    });
    return true;
  }

  /**
   * Takes the sealed order of an operator who may not write records. Safe to repeat: an order that was taken is not taken twice.
   * @throws CoxError `bad-order`, which says why it does not count; `stream-full`.
   */
  async take({ id, spec, seal }: SealedTask): Promise<TaskId> {
    const problem = this.bus.team?.sealProblem(id, spec, seal) ?? lateSeal(seal, this.#now());
    if (problem || parentOf(id) !== null)
      throw new CoxError('bad-order', `The order for ${id} does not count: ${problem ?? 'it is for a sub-task'}`, {
        hint: 'Dispatch the task again with the crew file of an operator.',
      });
    if (await this.#submit({ id, spec, seal })) return id;
    if ((await readState(this.bus, id))?.record.seal?.signature === seal.signature) return id;
    throw new CoxError('bad-order', `There is another task ${id}`, { hint: 'Dispatch the task again.' });
  }

  /**
   * Publishes a steering message. Resolves when the log stream has stored it; `receipts` then tells how the task handles it.
   * @throws CoxError `bad-task-id`; `bad-steer`, which names the invalid field; `stream-full`.
   */
  async steer(id: TaskId, message: SteeringInput, signal?: AbortSignal): Promise<Sent> {
    this.#check(id);
    this.bus.team?.require('operator', 'steer a task');
    const parsed = SteeringMessage.safeParse(message);
    if (!parsed.success)
      throw new CoxError('bad-steer', `Not a steering message: ${describe(parsed.error)}`, {
        hint: 'Correct the named field.',
      });
    const steer = parsed.data.id ?? newRoot(this.#random);
    const payload = JSON.stringify({ ...parsed.data, id: steer });
    const sent = await publish(this.bus, this.bus.subjects.of(id, 'steering'), payload, { msgID: `${id}:${steer}` }, signal);
    if (!sent.ok) throw new Error('a publish that expects no sequence cannot conflict');
    // The copy of the steer may have come to the worker before the log had it (rule `nudge`).
    const { nc, subjects } = this.bus;
    if (!nc.isClosed() && !nc.isDraining()) nc.publish(subjects.nudge(id));
    return { steer, seq: sent.seq };
  }

  /**
   * Yields the receipts of a steer as they come, and ends after the final one (rule `receipts-end`). A `signal` ends it too.
   * @throws CoxError `unknown-task` if the task is removed before; `bus-away`, `bus-closed`.
   */
  async *receipts(id: TaskId, sent: Sent, signal: AbortSignal): AsyncGenerator<Receipt> {
    const over = new AbortController();
    const until = AbortSignal.any([signal, over.signal]);
    const told = receiptsTold(this.bus, id, sent, until);
    const fate = fateOfSteer(this.bus, id, sent, until).then((value) => ({ value, done: value === null }) as const);
    fate.catch(() => {});
    try {
      while (!signal.aborted) {
        const { value: receipt, done } = await Promise.race([told.next(), fate]);
        if (!receipt || done) break;
        yield receipt;
        if (receipt.fate === 'applied' || receipt.fate === 'returned') return;
      }
      if (!signal.aborted) throw busClosed('Read later what became of the message with `cox status`.');
    } finally {
      over.abort();
      // Its consumer is given up before the caller may leave the crew.
      await told.return(undefined);
    }
  }

  /**
   * @returns the last status in the state record; `idle` for a task that has not been claimed; null if the task is unknown.
   * @throws CoxError `bad-task-id`.
   */
  async status(id: TaskId): Promise<Status | null> {
    this.#check(id);
    const stored = await readState(this.bus, id);
    if (stored && stored.record.phase !== 'unborn') return stored.record.last ?? idleStatus(stored.record);
    const parent = parentOf(id);
    const above = parent === null ? null : await readState(this.bus, parent);
    const child = above && planned(above.record).find((node) => node.id === id);
    return above && child ? { ...idleStatus(above.record), id, type: child.type, backend: null } : null;
  }

  /** Every task of the crew, or of the tree with this root, oldest first. */
  async tasks(root?: string): Promise<TaskSummary[]> {
    const tasks = summariesOf(await allRecords(this.bus, treeFilter(root)));
    return [...taskPage(tasks, { limit: Number.POSITIVE_INFINITY }).rows];
  }

  /**
   * A page of the tasks that fit the query, oldest first.
   * @param maxBytes most bytes that the rows may have as JSON. Default: no limit.
   * @throws CoxError `bad-cursor`.
   */
  async taskPage(query: TaskQuery = {}, maxBytes?: number): Promise<Page<TaskSummary>> {
    return taskPage(await this.tasks(query.root), query, maxBytes);
  }

  /** The open questions of all tasks, at any depth, oldest first. @param root of one tree; default: all trees. */
  async questions(root?: string): Promise<readonly OpenQuestion[]> {
    return openQuestions(await allRecords(this.bus, treeFilter(root)));
  }

  /** A page of the open questions, of all trees or of one, as `taskPage` is one of the tasks. @throws CoxError `bad-cursor`. */
  async questionPage({ root, ...query }: QuestionQuery = {}, maxBytes?: number): Promise<Page<OpenQuestion>> {
    return questionPage(await allRecords(this.bus, treeFilter(root)), query, maxBytes);
  }

  /** @returns the result, or null while there is none. @throws CoxError `bad-task-id`, `unknown-task`. */
  async peekResult(id: TaskId): Promise<Result | null> {
    this.#check(id);
    const stored = await readState(this.bus, id);
    if (!stored && !(await this.status(id))) throw unknownTask(id);
    return stored?.record.result ?? null;
  }

  /**
   * Waits for the result without a time limit. The output of a long one is read from its artifact, so that it is whole; if that
   * is gone or damaged, `output` is the beginning, which says how much is missing.
   * @param signal ends the wait, and not the task.
   * @throws CoxError `bad-task-id`; `unknown-task`, also if the task is removed meanwhile; `bus-away`, `bus-closed`; `wait-ended`
   * when `signal` fires, with its reason as `cause`.
   */
  async result(id: TaskId, signal: AbortSignal): Promise<Result> {
    const result = await this.awaitResult(id, signal);
    const output = await wholeOutput(this.artifacts(), result).catch((cause: unknown) => {
      if (cause instanceof CoxError && ['artifact-gone', 'bad-artifact'].includes(cause.code)) return result.output;
      throw cause;
    });
    return { ...result, output };
  }

  /** As `result`, with the output as the record has it: at most 64 KiB, and `whole` names the artifact of a longer one. */
  async awaitResult(id: TaskId, signal: AbortSignal): Promise<Result> {
    const { nc, subjects } = this.bus;
    let news = Promise.withResolvers<void>();
    const look = () => news.resolve();
    const listening = listen(nc, subjects.of(id, 'result'), look);
    // The server does not repeat a core message that was published while the connection was lost.
    const stopWatching = onReconnect(nc, look);
    signal.addEventListener('abort', look);
    void listening.closed.then(look);
    // A task that is removed tells nobody.
    const looking = setInterval(look, lookMs);
    try {
      while (!signal.aborted && !nc.isClosed()) {
        const result = await answered(this.peekResult(id));
        if (result) return result;
        await news.promise;
        news = Promise.withResolvers();
      }
      if (signal.aborted) throw waitEnded(id, signal.reason);
      throw busClosed('Read the result later with `cox result`.');
    } finally {
      clearInterval(looking);
      signal.removeEventListener('abort', look);
      stopWatching();
      listening.stop();
    }
  }

  /** The task and all tasks below it, parents before children. @throws CoxError `bad-task-id`, `unknown-task`. */
  async tree(id: TaskId): Promise<TreeNode[]> {
    this.#check(id);
    const tree = treeOf(await allRecords(this.bus, treeFilter(rootOf(id))), id);
    if (tree.length === 0) throw unknownTask(id);
    return tree;
  }

  /** A page of the rows of `tree`. @throws CoxError `bad-task-id`, `unknown-task`, `bad-cursor`. */
  async treePage(id: TaskId, query: PageQuery = {}, maxBytes?: number): Promise<Page<TreeNode>> {
    return treePage(await this.tree(id), query, maxBytes);
  }

  /**
   * A page of the artifacts of a task and of all tasks below it, in the order of their names.
   * @param maxBytes most bytes that the rows may have as JSON. Default: no limit.
   * @throws CoxError `bad-task-id`, `unknown-task`, `bad-cursor`.
   */
  async artifactPage(id: TaskId, query: PageQuery = {}, maxBytes?: number): Promise<Page<ArtifactRow>> {
    this.#check(id);
    const page = await artifactPage(this.bus, id, query, maxBytes);
    if (page.rows.length === 0 && !(await this.status(id))) throw unknownTask(id);
    return page;
  }

  /**
   * The steps of a task in order, each with why it was made, its prompt and its reply. Nothing is called for it.
   * @param options.rebuild builds the prompts as they were sent; without it they are the conversation of the task.
   * @throws CoxError `bad-query`; `unknown-task`.
   */
  async journal(query: z.input<typeof JournalQuery>, options: JournalOptions = {}): Promise<JournalReply> {
    return journalPage(this.bus, checkedQuery(query), options);
  }

  /**
   * Puts a new task on the queue that goes on from a step of this one, before its reply. The order is that of the task.
   * @throws CoxError `unknown-task`, `unknown-step`, `bad-fork`, and those of `dispatch`.
   */
  async fork(id: TaskId, options: ForkOptions, signal?: AbortSignal): Promise<TaskId> {
    this.#check(id);
    const source = await this.journal({ task: id, from: options.step, limit: 1, prompts: 'none', spec: true });
    return this.dispatch(forkSpec(source, options), signal);
  }

  /** The tokens and dollars that tasks have spent, also those that were purged. */
  costs(query: CostQuery = {}): Promise<Costs> {
    return readCosts(this.bus, query);
  }

  /** Reads artifacts, of their stream. */
  artifacts(): ReadableArtifacts {
    return new Artifacts(this.bus);
  }

  /**
   * Reads something that a task has stored, with its file name and type, or the whole of a long result.
   * @throws CoxError `artifact-gone`, `bad-artifact`.
   */
  async artifact(ref: string): Promise<MadeArtifact & { readonly content: Uint8Array }> {
    const { made, bytes } = await this.artifacts().readMade(ref);
    return { ...made, content: bytes };
  }

  /**
   * Yields the events of one tree, or of all tasks if `id` is null, from now on. Messages that do not fit their schema are left
   * out. After a reconnection, statuses and results that were missed follow from the log; live output that was missed does not.
   */
  watch(id: TaskId | null, signal: AbortSignal): AsyncGenerator<CrewEvent> {
    return watch(this.bus, id === null ? '*' : rootOf(id), signal);
  }

  #check(id: string): void {
    if (!isTaskId(id))
      throw new CoxError('bad-task-id', `${id} is not a task id`, {
        hint: 'A task id looks like k3xq.0 or k3xq.4-1; `cox status` lists them.',
      });
  }
}

/** @throws CoxError `bad-query`. */
export function checkedQuery(query: z.input<typeof JournalQuery>): JournalQuery {
  const parsed = JournalQuery.safeParse(query);
  if (parsed.success) return parsed.data;
  throw new CoxError('bad-query', `Not a query: ${describe(parsed.error)}`, { hint: 'Correct the named field.' });
}

/** The keys of all state records, or of those of one tree. */
const treeFilter = (root?: string): string => (root === undefined ? '>' : `${root}.*`);

const lateSeal = ({ at }: Seal, now: Date): string | null =>
  Math.abs(now.getTime() - Date.parse(at)) <= signatureMs ? null : `it was sealed more than ${signatureMs / 60_000} minutes ago`;

const busClosed = (hint: string) => new CoxError('bus-closed', 'The connection to the bus was closed', { hint });

const waitEnded = (id: TaskId, cause: unknown) =>
  new CoxError('wait-ended', `Nobody waits for the result of ${id} any more; a task that has not ended goes on`, {
    hint: '`result` waits again, and a steer `cancel` ends the task.',
    cause,
  });

const unknownTask = (id: TaskId) =>
  new CoxError('unknown-task', `There is no task ${id}`, { hint: '`cox status` lists the tasks of this crew.' });

const idleStatus = (record: StateRecord): Status => ({
  id: record.id,
  type: record.spec.type,
  commit: 1,
  epoch: 0,
  at: record.createdAt,
  node: record.node,
  state: 'idle',
  step: 0,
  backend: record.spec.backend,
  paused: false,
  question: null,
  receipts: [],
  usage: noUsage,
  outcome: null,
});
