/**
 * The crew as a client sees it that may not read the streams: an operator, an observer or a console of a crew with roles. It asks
 * the nodes (`cox.api.<verb>`), listens to statuses as core messages, and sends sealed orders and signed steers. So it needs a node
 * that is up.
 */
import type { z } from 'zod';
import { CoxError } from '../platform/errors.ts';
import { type ReadableArtifacts, remoteArtifacts } from './artifacts/remote-artifacts.ts';
import { askNode } from './ask-node.ts';
import { askPage, askRows } from './ask-pages.ts';
import { lookMs } from './away.ts';
import type { Bus } from './bus.ts';
import type { CostQuery, Costs } from './costs/costs.ts';
import { Crew, type CrewOptions, checkedQuery, type Sent } from './crew.ts';
import { type CrewEvent, type Outage, resultEvent, statusEvent, watch } from './crew-events.ts';
import type { JournalOptions } from './journal/journal.ts';
import { type JournalQuery, type JournalReply, maxJournalSteps } from './journal/journal-messages.ts';
import { type Listening, listen } from './listen.ts';
import { parseStatus } from './log/projection.ts';
import { isReceiptOf } from './log/receipts-told.ts';
import type { ArtifactRow, Receipt, Result, Status, SteeringInput, TreeNode } from './messages.ts';
import type { Page, PageQuery } from './page.ts';
import { pause } from './pause.ts';
import type { OpenQuestion, QuestionQuery } from './state/open-questions.ts';
import { returned } from './state/state-record.ts';
import type { TaskQuery } from './state/task-list.ts';
import type { TaskSummary } from './state/tree.ts';
import { newRoot, rootOf, type TaskId } from './task-id.ts';

/** The statuses that a steer's task has published since just before it was sent. */
interface Heard {
  readonly receipts: Receipt[];
  readonly listening: Listening;
  news: PromiseWithResolvers<void>;
}

/** Steers whose receipts are listened for though nobody has asked for them: a program may send very many and never ask. */
const mostWaiting = 100;

export class RemoteCrew extends Crew {
  readonly #random: (bytes: Uint8Array) => Uint8Array;
  /** For steers that were sent and whose receipts nobody has asked for yet, by their ids. */
  readonly #waiting = new Map<string, Heard>();

  constructor(bus: Bus, options: CrewOptions) {
    super(bus, options);
    this.#random = options.random ?? ((bytes) => crypto.getRandomValues(bytes));
  }

  override async steer(id: TaskId, message: SteeringInput, signal?: AbortSignal): Promise<Sent> {
    const steer = message.id ?? newRoot(this.#random);
    const heard = await this.#listen(id);
    try {
      const sent = await super.steer(id, { ...message, id: steer }, signal);
      this.#keep(steer, heard);
      return sent;
    } catch (cause) {
      heard.listening.stop();
      throw cause;
    }
  }

  override async *receipts(id: TaskId, sent: Sent, signal: AbortSignal): AsyncGenerator<Receipt> {
    const heard = this.#waiting.get(sent.steer) ?? (await this.#listen(id));
    this.#waiting.delete(sent.steer);
    const over = new AbortController();
    const until = AbortSignal.any([signal, over.signal]);
    const fate = this.#fate(id, sent, until);
    fate.catch(() => {});
    const stop = () => heard.news.resolve();
    signal.addEventListener('abort', stop);
    try {
      for (let next = 0; !signal.aborted; ) {
        const receipt = heard.receipts[next] ?? (await Promise.race([heard.news.promise.then(() => null), fate]));
        if (!receipt) {
          heard.news = Promise.withResolvers();
          continue;
        }
        next++;
        if (!isReceiptOf(receipt, sent)) continue;
        yield receipt;
        if (receipt.fate === 'applied' || receipt.fate === 'returned') return;
      }
    } finally {
      signal.removeEventListener('abort', stop);
      over.abort();
      heard.listening.stop();
    }
  }

  override async status(id: TaskId): Promise<Status | null> {
    return this.#ask<Status>('status', { task: id }).catch((cause: unknown) => {
      if (cause instanceof CoxError && cause.code === 'unknown-task') return null;
      throw cause;
    });
  }

  override tasks(root?: string): Promise<TaskSummary[]> {
    return askRows(this.bus, 'tasks', { ...(root !== undefined && { root }) });
  }

  override taskPage(query: TaskQuery = {}): Promise<Page<TaskSummary>> {
    return askPage(this.bus, 'tasks', query);
  }

  override questions(root?: string): Promise<readonly OpenQuestion[]> {
    return askRows(this.bus, 'questions', { ...(root !== undefined && { root }) });
  }

  override questionPage(query: QuestionQuery = {}): Promise<Page<OpenQuestion>> {
    return askPage(this.bus, 'questions', query);
  }

  override async peekResult(id: TaskId): Promise<Result | null> {
    return (await this.#ask<{ result: Result | null }>('result', { task: id })).result;
  }

  override tree(id: TaskId): Promise<TreeNode[]> {
    return askRows(this.bus, 'tree', { task: id });
  }

  override treePage(id: TaskId, query: PageQuery = {}): Promise<Page<TreeNode>> {
    return askPage(this.bus, 'tree', { ...query, task: id });
  }

  override watch(id: TaskId | null, signal: AbortSignal): AsyncGenerator<CrewEvent> {
    return watch(this.bus, id === null ? '*' : rootOf(id), signal, (outage, tell) => this.#askMissed(outage, tell));
  }

  /** The last status of each task that has changed since, in place of every one; and whether it has ended. */
  async #askMissed({ root, since }: Outage, tell: (event: CrewEvent | null) => void): Promise<void> {
    const tasks = await this.tasks(root === '*' ? undefined : root);
    for (const { id, outcome } of tasks.filter(({ updatedAt }) => Date.parse(updatedAt) >= since.getTime())) {
      tell(statusEvent(await this.status(id)));
      if (outcome) tell(resultEvent(id));
    }
  }

  override artifactPage(id: TaskId, query: PageQuery = {}): Promise<Page<ArtifactRow>> {
    return askPage(this.bus, 'artifacts', { ...query, task: id });
  }

  override async journal(query: z.input<typeof JournalQuery>, { all = false }: JournalOptions = {}): Promise<JournalReply> {
    const asked = checkedQuery(query);
    const reply = await this.#ask<JournalReply>('journal', asked);
    const steps = [...reply.steps];
    let { next } = reply;
    while (all && next !== null) {
      const page: JournalReply = await this.#ask('journal', { ...asked, from: next, limit: maxJournalSteps });
      steps.push(...page.steps);
      next = page.next;
    }
    return { ...reply, steps, next };
  }

  override costs(query: CostQuery = {}): Promise<Costs> {
    return this.#ask('costs', query);
  }

  override artifacts(): ReadableArtifacts {
    return remoteArtifacts(this.bus);
  }

  /** Listens before the steer is sent, so that no receipt is missed while the connection lasts. */
  async #listen(id: TaskId): Promise<Heard> {
    const { nc, subjects } = this.bus;
    const heard: Heard = {
      receipts: [],
      news: Promise.withResolvers(),
      listening: listen(nc, subjects.of(id, 'status'), ({ data }) => {
        heard.receipts.push(...(parseStatus(data)?.receipts ?? []));
        heard.news.resolve();
      }),
    };
    await nc.flush();
    return heard;
  }

  #keep(steer: string, heard: Heard): void {
    this.#waiting.get(steer)?.listening.stop();
    this.#waiting.set(steer, heard);
    const [oldest] = this.#waiting;
    if (this.#waiting.size <= mostWaiting || !oldest) return;
    this.#waiting.delete(oldest[0]);
    oldest[1].listening.stop();
  }

  /** The final receipt by the status of a task that has ended, in case its message was missed; null once `signal` fires. */
  async #fate(id: TaskId, sent: Sent, signal: AbortSignal): Promise<Receipt | null> {
    for (let ended = 0; !signal.aborted; ) {
      await pause(lookMs, signal).catch(() => {});
      if (signal.aborted) return null;
      const status = await this.status(id);
      const told = status?.receipts.find((receipt) => isReceiptOf(receipt, sent) && receipt.fate !== 'accepted');
      if (told && told.fate !== 'queued') return told;
      if (status?.outcome && ++ended > 1)
        return returned(sent.steer, 'unknown', sent.seq, `the task has ended: ${status.outcome}`);
    }
    return null;
  }

  #ask<T>(verb: string, request: object): Promise<T> {
    return askNode(this.bus, verb, request);
  }
}
