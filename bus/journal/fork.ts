/**
 * A fork is a new task that goes on from a step of another one: with the conversation as it was before the reply of that step, on
 * another backend or with a further correction (docs/adr/0038). The task that it comes from is not changed.
 */
import { CoxError } from '../../platform/errors.ts';
import type { Bus } from '../bus.ts';
import type { TaskSpec } from '../messages.ts';
import type { TaskId } from '../task-id.ts';
import { readJournal, toldIn } from './journal.ts';
import type { JournalReply } from './journal-messages.ts';

export interface ForkOptions {
  readonly step: number;
  /** Default: the backend that the task named, else routing chooses. */
  readonly backend?: string | undefined;
  /** A correction that the step is told in addition. */
  readonly with?: string | undefined;
  /** Absolute path of the folder in which the fork works. Default: that of the task. */
  readonly workspace?: string | undefined;
}

/** The order for a fork. @throws CoxError `unknown-step`, `bad-fork`. */
export function forkSpec({ task, type, steps, spec, archived }: JournalReply, options: ForkOptions): TaskSpec {
  const { step, backend, workspace } = options;
  const at = steps[0];
  if (type === 'supervisor')
    throw refused(task, 'it is a goal: its sub-tasks have the conversations', 'Fork a sub-task; `cox tree` lists them.');
  if (!spec || !at || at.step !== step) throw unknownStep(task, step);
  if (spec.undo) throw refused(task, 'it undoes changes of files', 'Undo them again with `cox undo`.');
  const { produces, expect, plan: _, avoid: __, deadlineAt: ___, ...rest } = spec;
  const isRedirected = at.instruction !== undefined;
  return {
    ...rest,
    ...{ plan: null, avoid: [], deadlineAt: null },
    instruction: at.instruction ?? spec.instruction,
    // The operator's new instruction says what is to be made, in place of the plan.
    ...(!isRedirected && produces && { produces }),
    ...(!isRedirected && expect && { expect: archived === undefined ? expect : { ...expect, backend: null } }),
    backend: backend ?? spec.backend,
    workspace: workspace ?? (archived === undefined ? spec.workspace : null),
    // A stranger may have written what was imported: the folder is of another machine, and nothing in it is allowed here.
    ...(archived !== undefined && {
      ...{ allowed: [], approval: 'every-effect' as const, backend: backend ?? null },
      limits: {},
    }),
    forkOf: { task, step, ...(options.with !== undefined && { with: options.with }) },
  };
}

/**
 * A forked task brings this along, in the form in which a task that begins again does (machines/carryover.ts). It is read when its
 * record is created, so that the fork does not depend on the task it comes from.
 * @throws CoxError `unknown-task`, `unknown-step`, `bad-fork`.
 */
export async function beginningOfFork(bus: Bus, { instruction, forkOf }: TaskSpec): Promise<Record<string, unknown> | null> {
  if (!forkOf) return null;
  const { record, steps } = await readJournal(bus, forkOf.task);
  const at = steps.find(({ step }) => step === forkOf.step);
  if (!at) throw unknownStep(forkOf.task, forkOf.step);
  const told = toldIn(record, at);
  if (told === null || told.length === 0)
    throw refused(
      forkOf.task,
      `what was said before step ${forkOf.step} is not kept`,
      '`cox replay` shows the steps and their prompts.',
    );
  const said = forkOf.with === undefined ? [] : [{ role: 'user', text: forkOf.with }];
  return {
    instruction,
    messages: [...told, ...said],
    // Its calls have the numbers of its steps in their names, so they go on where the conversation ends.
    step: forkOf.step - 1,
    ...{ corrections: [], steers: [], found: [], questions: 0, usage: {}, toppedUpUsd: 0 },
    ...{ slices: {}, children: 0, returned: [], running: [] },
  };
}

const unknownStep = (task: TaskId, step: number) =>
  new CoxError('unknown-step', `${task} has no step ${step}`, { hint: '`cox replay` shows the steps of a task.' });

const refused = (task: TaskId, why: string, hint: string) =>
  new CoxError('bad-fork', `${task} cannot be forked: ${why}`, { hint });
