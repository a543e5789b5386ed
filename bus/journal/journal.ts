/**
 * The journal of a task: its steps in order, with the prompt of each. Nothing is written for it: it is read from the state record
 * and the statuses that every commit writes anyway (docs/adr/0038).
 */
import { CoxError } from '../../platform/errors.ts';
import type { Bus } from '../bus.ts';
import { fittedJson } from '../log/fitted.ts';
import { parseStatus } from '../log/projection.ts';
import type { Status } from '../messages.ts';
import { allRecords } from '../state/all-records.ts';
import { messagesAfter } from '../state/batch-get.ts';
import type { StateRecord } from '../state/state-record.ts';
import { readState } from '../state/state-store.ts';
import type { TaskId } from '../task-id.ts';
import type { ForkRow, JournalPrompt, JournalQuery, JournalReply, JournalStep, PromptMessage } from './journal-messages.ts';
import { type KeptMessage, keptOf } from './kept-conversation.ts';
import { type Step, stepsOf } from './steps.ts';

/** A request as the code that sends it builds it. */
export interface RebuiltPrompt {
  readonly messages: readonly PromptMessage[];
  readonly tools: readonly string[];
  /** As in a status. */
  readonly digest: string;
  /** How the conversation was shortened to fit; null: it was not. */
  readonly shortened: string | null;
}

/** Builds the request of a step again. @returns null if it cannot be built here. */
export type Rebuild = (record: StateRecord, step: Step, told: readonly KeptMessage[]) => Promise<RebuiltPrompt | null>;

export interface Journal {
  readonly record: StateRecord;
  readonly steps: readonly Step[];
}

/** @throws CoxError `unknown-task`. */
export async function readJournal(bus: Bus, id: TaskId): Promise<Journal> {
  const stored = await readState(bus, id);
  if (!stored || stored.record.phase === 'unborn')
    throw new CoxError('unknown-task', `There is no task ${id}`, { hint: '`cox status` lists the tasks of this crew.' });
  const statuses: Status[] = [];
  const { subjects } = bus;
  for await (const { data } of messagesAfter(bus, subjects.logStream, subjects.of(id, 'status'), 0)) {
    const status = parseStatus(data);
    if (status?.id === id) statuses.push(status);
  }
  return { record: stored.record, steps: stepsOf(stored.record, statuses) };
}

/** The messages of the conversation that the model of a step was told; null: not known. */
export const toldIn = (record: StateRecord, { told }: Step): readonly KeptMessage[] | null =>
  told === null ? null : keptOf(record).messages.slice(0, told);

export interface JournalOptions {
  readonly rebuild?: Rebuild | undefined;
  /** Most bytes that the steps may have as JSON. Default: no limit. */
  readonly maxBytes?: number | undefined;
  /** All steps from the first one on, whatever `limit` says, and no forks. Default: false. */
  readonly all?: boolean;
}

/** A page of the journal. A step that is too large for any page goes alone, with its texts cut. */
export async function journalPage(bus: Bus, query: JournalQuery, options: JournalOptions = {}): Promise<JournalReply> {
  const { record, steps } = await readJournal(bus, query.task);
  const from = steps.findIndex(({ step }) => step >= query.from);
  const shown = from < 0 ? [] : steps.slice(from, options.all ? steps.length : from + query.limit);
  const { maxBytes = Number.POSITIVE_INFINITY } = options;
  const views = new Views(record, query.prompts, options.rebuild);
  const page: JournalStep[] = [];
  let left = maxBytes - (query.spec ? Buffer.byteLength(JSON.stringify(record.spec)) : 0);
  for (const [i, step] of shown.entries()) {
    const view = await views.of(step, steps[from + i - 1] ?? null);
    const size = maxBytes === Number.POSITIVE_INFINITY ? 0 : Buffer.byteLength(JSON.stringify(view)) + 1;
    left -= size;
    if (left < 0 && page.length > 0) break;
    page.push(left < 0 ? (JSON.parse(fittedJson(view, Math.max(1_024, left + size))) as JournalStep) : view);
  }
  const next = from < 0 ? undefined : steps[from + page.length];
  return {
    ...headOf(record, query),
    steps: page,
    next: next?.step ?? null,
    forks: from <= 0 && !options.all ? await forksOf(bus, query.task) : [],
  };
}

function headOf(record: StateRecord, { spec }: JournalQuery): Omit<JournalReply, 'steps' | 'next' | 'forks'> {
  const { forkOf } = record.spec;
  return {
    task: record.id,
    type: record.spec.type,
    instruction: record.instruction,
    outcome: record.last?.outcome ?? null,
    forkOf: forkOf ? { id: forkOf.task, step: forkOf.step } : null,
    ...(record.archived !== undefined && { archived: record.archived }),
    ...(spec && { spec: record.spec }),
  };
}

/** A fork is a goal, or a task that stands alone, so the roots of the trees have them all. */
async function forksOf(bus: Bus, id: TaskId): Promise<ForkRow[]> {
  const found = (await allRecords(bus, '*.0')).filter(({ spec }) => spec.forkOf?.task === id);
  return found.map(({ id: fork, spec }) => ({ id: fork, step: spec.forkOf!.step })).sort((a, b) => a.step - b.step);
}

/** The steps of one task as they are shown, each with its prompt. */
export class Views {
  readonly #record: StateRecord;
  readonly #prompts: JournalQuery['prompts'];
  readonly #rebuild: Rebuild | undefined;
  #before: { readonly step: number; readonly prompt: Whole | null } | null = null;

  constructor(record: StateRecord, prompts: JournalQuery['prompts'], rebuild?: Rebuild) {
    this.#record = record;
    this.#prompts = prompts;
    this.#rebuild = rebuild;
  }

  /** @param before the step before this one, from which its prompt differs. */
  async of(step: Step, before: Step | null): Promise<JournalStep> {
    const { told: _, digest: __, instruction, ...shown } = step;
    const rest = { ...shown, ...(instruction !== this.#record.spec.instruction && { instruction }) };
    if (this.#prompts === 'none') return rest;
    const now = await this.#whole(step);
    if (!now) return rest;
    const earlier = this.#prompts === 'whole' || !before ? null : await this.#wholeBefore(before);
    const same = earlier ? sameBeginning(earlier.messages, now.messages) : 0;
    const isNewTools = earlier === null || earlier.tools.join() !== now.tools.join();
    const prompt: JournalPrompt = {
      is: now.is,
      ...(now.changed.length > 0 && { changed: now.changed }),
      ...(step.digest !== null && { digest: step.digest }),
      count: now.messages.length,
      same,
      messages: now.messages.slice(same),
      ...(isNewTools && now.tools.length > 0 && { tools: [...now.tools] }),
    };
    this.#before = { step: step.step, prompt: now };
    const why = now.shortened === null ? rest.why : [...rest.why, { kind: 'compaction' as const, text: now.shortened }];
    return { ...rest, why, prompt };
  }

  async #wholeBefore(step: Step): Promise<Whole | null> {
    return this.#before?.step === step.step ? this.#before.prompt : this.#whole(step);
  }

  async #whole(step: Step): Promise<Whole | null> {
    const isGoal = this.#record.spec.type === 'supervisor';
    const told = isGoal ? [] : toldIn(this.#record, step);
    if (told === null) return null;
    const rebuilt = step.backend !== null && this.#rebuild ? await this.#rebuild(this.#record, step, told) : null;
    // A goal has no conversation.
    if (isGoal && !rebuilt) return null;
    if (!rebuilt || step.digest === null)
      return { is: 'conversation', changed: [], messages: told.map(shown), tools: [], shortened: null };
    const changed = changedParts(step.digest, rebuilt.digest);
    return { is: changed.length === 0 ? 'as-sent' : 'rebuilt', changed, ...rebuilt };
  }
}

interface Whole extends Omit<RebuiltPrompt, 'digest'> {
  readonly is: JournalPrompt['is'];
  readonly changed: NonNullable<JournalPrompt['changed']>;
}

/** The parts of a request in the order of their digests. */
export const partsOfPrompt = ['prompt', 'notes', 'tools', 'conversation'] as const;

function changedParts(sent: string, built: string): Whole['changed'] {
  const [a, b] = [sent.split('.'), built.split('.')];
  const parts = partsOfPrompt.filter((_, i) => a[i] !== b[i]);
  return parts.length === 0 && sent !== built ? [...partsOfPrompt] : parts;
}

const shown = ({ role, text, calls, call, unfinished, images }: KeptMessage): PromptMessage => ({
  role,
  text,
  ...(calls && { calls: calls.map(({ id, tool, args }) => ({ id, tool, args })) }),
  ...(call !== undefined && { call }),
  ...(unfinished && { unfinished }),
  ...(images && { images: images.map(({ ref }) => ref) }),
});

function sameBeginning(a: readonly PromptMessage[], b: readonly PromptMessage[]): number {
  let same = 0;
  while (same < a.length && same < b.length && isSame(a[same]!, b[same]!)) same++;
  return same;
}
const isSame = (a: PromptMessage, b: PromptMessage): boolean =>
  a === b ||
  (a.role === b.role && a.text === b.text && (a.calls === b.calls || JSON.stringify(a.calls) === JSON.stringify(b.calls)));
