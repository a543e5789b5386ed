/** Finds the task that a tool of the primary is for. What is not certain becomes a question to the operator. */
import type { Crew } from '../../bus/crew.ts';
import type { Status } from '../../bus/messages.ts';
import type { TaskSummary } from '../../bus/state/tree.ts';
import { isTaskId, type TaskId } from '../../bus/task-id.ts';
import type { Call, Pending } from './decide.ts';
import { findTask, type Named } from './references.ts';
import { isOpen, oneLine } from './task-descriptions.ts';

/** Thrown by a tool that did nothing: the operator has to say more first. The message is shown by code. */
export class AskOperator extends Error {
  readonly pending: Pending;
  constructor(question: string, pending: Pending) {
    super(question);
    this.pending = pending;
  }
}

export interface Lookup {
  readonly crew: Crew;
  /** Whether the operator's words bear out that the call is for this task. */
  readonly isBorneOut: (call: Call, id: TaskId, tasks: readonly TaskSummary[]) => boolean;
}

const aboutChars = 60;
const about = ({ id, type, instruction }: Named): string => `${id} (${type}) “${oneLine(instruction, aboutChars)}”`;
const readsOnly: ReadonlySet<string> = new Set(['check_task_status', 'get_task_result']);

/**
 * @param given an id, or words of the operator.
 * @throws AskOperator if several tasks fit, or one in part, or the words do not bear the act out; Error if there is none.
 */
export async function lookUp({ crew, isBorneOut }: Lookup, given: string, call: Call): Promise<{ id: TaskId; status: Status }> {
  const tasks = await crew.tasks();
  const id = await theOne(crew, given, call, tasks);
  const status = await crew.status(id);
  if (!status) throw noTask(given, tasks);
  if (readsOnly.has(call.tool) || isBorneOut(call, id, tasks)) return { id, status };
  const task = tasks.find((each) => each.id === id);
  throw new AskOperator(`${questionOf(call)} ${task ? about(task) : id}? Say y, or what else you mean.`, {
    kind: 'confirm',
    calls: [{ ...call, args: { ...call.args, id } }],
  });
}

async function theOne(crew: Crew, given: string, call: Call, tasks: readonly TaskSummary[]): Promise<TaskId> {
  const exact = given.trim().toLowerCase();
  // A sub-task that is planned has an id before it has a record.
  if (isTaskId(exact) && (tasks.some(({ id }) => id === exact) || (await crew.status(exact)))) return exact;
  const found = findTask(given, tasks, readsOnly.has(call.tool) ? 'any' : 'open');
  if (found.kind === 'one') return found.task.id;
  if (found.kind === 'none') throw noTask(given, tasks);
  throw whichOf(found.tasks, call);
}

function whichOf(tasks: readonly Named[], call: Call): AskOperator {
  const ids = tasks.map(({ id }) => id);
  const pending: Pending = { kind: 'choose', call, ids };
  if (tasks.length === 1) return new AskOperator(`Do you mean ${about(tasks[0]!)}? Say y, or what else you mean.`, pending);
  const rows = tasks.map((task, at) => `${at + 1}. ${about(task)}`);
  return new AskOperator(['Which one do you mean?', ...rows, 'Say its number.'].join('\n'), pending);
}

const noTask = (given: string, tasks: readonly TaskSummary[]): Error => {
  const some = tasks
    .filter(isOpen)
    .map(({ id }) => id)
    .slice(-8)
    .join(', ');
  return new Error(`there is no task ${given}; ${some ? `unfinished tasks are ${some}` : 'there are no unfinished tasks'}`);
};

const questions: Readonly<Record<string, string>> = {
  cancel_task: 'Shall I cancel',
  pause_task: 'Shall I pause',
  resume_task: 'Shall I resume',
  swap_model: 'Shall I change the model of',
  answer_question: 'Is that the answer to',
  raise_budget: 'Shall I raise the budget of',
};
const questionOf = ({ tool, args }: Call): string =>
  tool === 'steer_task'
    ? `Shall I pass on “${oneLine(String(args.text), aboutChars)}” to`
    : (Object.hasOwn(questions, tool) && questions[tool]) || 'Is that for';

const bulk: Readonly<Record<string, readonly [verb: string, done: string]>> = {
  cancel_task: ['cancels', 'cancel'],
  pause_task: ['pauses', 'pause'],
  resume_task: ['resumes', 'resume'],
};
const mostListed = 12;

/** The tasks that an act on all of them is for. @throws AskOperator with a list of them, and the calls that a yes makes. */
export async function askAboutAll({ crew }: Lookup, tool: string): Promise<never> {
  const tasks = await crew.tasks();
  const open = tasks.filter(isOpen);
  const top = open.filter(({ parent }) => !open.some(({ id }) => id === parent));
  if (top.length === 0) throw new Error('there are no unfinished tasks');
  const [verb, infinitive] = bulk[tool]!;
  const below = open.length - top.length;
  const rows = top.slice(0, mostListed).map((task) => `- ${about(task)}`);
  const more = top.length - rows.length;
  const parts = below > 0 ? ` with ${below} sub-task${below === 1 ? '' : 's'}` : '';
  const text = [
    `This ${verb} ${top.length} task${top.length === 1 ? '' : 's'}${parts}:`,
    ...rows,
    ...(more > 0 ? [`(${more} more)`] : []),
    `Say y to ${infinitive} ${top.length === 1 ? 'it' : 'them all'}.`,
  ];
  throw new AskOperator(text.join('\n'), { kind: 'confirm', calls: top.map(({ id }) => ({ tool, args: { id } })) });
}

/** Whether a reference means all tasks. */
export const meansAll = (given: string): boolean => {
  const found = findTask(given, [], 'open');
  return found.kind === 'all';
};
