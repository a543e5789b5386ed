/**
 * Code decides about a line before any model is asked, if the line answers a question that code has asked, or if its words name an
 * act for certain. Pure.
 */
import type { TaskSummary } from '../../bus/state/tree.ts';
import { meaningOf } from '../../machines/answer.ts';
import { type Act, actsIn } from './acts.ts';
import { findTask } from './references.ts';
import { aboutNotes, actWords, beginsWork, plainText, pointerOf } from './words.ts';

export interface Call {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** A question that code has asked the operator. The next line may answer it. */
export type Pending =
  /** A yes makes the calls. */
  | { readonly kind: 'confirm'; readonly calls: readonly Call[] }
  /** The call lacks its task. */
  | { readonly kind: 'choose'; readonly call: Call; readonly ids: readonly string[] };

/** Calls to make, or a text that answers the line. */
export type Decision = { readonly calls: readonly Call[] } | { readonly text: string };

export interface Situation {
  readonly line: string;
  readonly tasks: readonly TaskSummary[];
  readonly pending: Pending | null;
  /** The model that would read the line is a small one. */
  readonly isSmall?: boolean;
}

/** @returns null for a line that a model has to read. */
export function decide({ line, tasks, pending, isSmall = false }: Situation): Decision | null {
  return (pending && answerTo(pending, line, tasks)) ?? actsOf(line, tasks) ?? (isSmall ? correctionIn(line, tasks) : null);
}

/**
 * A line that names one unfinished task with an article (`the translation`) and is no question, no new work and no other act is a
 * correction of it. A small model would put it into words of its own.
 */
function correctionIn(line: string, tasks: readonly TaskSummary[]): Decision | null {
  if (line.trim().endsWith('?') || aboutNotes.test(line) || beginsWork.test(line)) return null;
  if (Object.values(actWords).some((words) => words.test(line))) return null;
  const phrases = [...plainText(line).matchAll(/(?:^|\s)(?:the|der|die|das|dem|den|la|le|l')\s?([\p{L}-]{3,})/gu)];
  const named = phrases.flatMap(([, noun]) => {
    const found = findTask(noun!, tasks, 'open');
    return found.kind === 'one' ? [found.task.id] : [];
  });
  const [id, ...others] = new Set(named);
  if (id === undefined || others.length > 0 || tasks.some((task) => task.id === id && task.question)) return null;
  return { calls: [{ tool: 'steer_task', args: { id, text: line.trim() } }] };
}

function answerTo(pending: Pending, line: string, tasks: readonly TaskSummary[]): Decision | null {
  if (pending.kind === 'confirm') {
    const meaning = meaningOf({ kind: 'approval', choices: ['approve', 'deny'] }, line);
    if (meaning.kind !== 'choice') return null;
    if (meaning.choice === 'approve') return { calls: pending.calls };
    // A longer refusal says something else as well.
    return line.trim().split(/\s+/).length <= 3 ? { text: 'Nothing was done.' } : null;
  }
  const { call, ids } = pending;
  const number = /^\(?(\d{1,2})[.)]?$/.exec(line.trim());
  const chosen = number ? [ids[Number(number[1]) - 1]].flatMap((id) => id ?? []) : among(ids, line, tasks);
  if (chosen.length > 0) return { calls: chosen.map((id) => ({ ...call, args: { ...call.args, id } })) };
  return /^(?:n|no|none|neither|nein|keine[rs]?|non|aucune?)$/.test(plainText(line)) ? { text: 'Nothing was done.' } : null;
}

function among(ids: readonly string[], line: string, tasks: readonly TaskSummary[]): readonly string[] {
  if (line.trim().split(/\s+/).length > 6) return [];
  const pointer = pointerOf(line);
  if (pointer.all && pointer.words.length === 0) return ids;
  if (pointer.ordinal !== null) return [ids.at(pointer.ordinal < 0 ? -1 : pointer.ordinal - 1)].flatMap((id) => id ?? []);
  if (ids.length === 1 && /^(?:y|yes|yep|ja|oui)$/.test(plainText(line))) return ids;
  // Each candidate stands for itself here, also a sub-task beside its goal.
  const own = tasks.filter(({ id }) => ids.includes(id)).map((task) => ({ ...task, parent: null }));
  const found = findTask(line, own, 'any');
  return found.kind === 'one' && !pointer.isVague ? [found.task.id] : [];
}

/** A line counts only if all its acts have a task for certain, or candidates that the operator can be asked about. */
function actsOf(line: string, tasks: readonly TaskSummary[]): Decision | null {
  const acts = actsIn(line);
  if (!acts) return null;
  const calls = acts.map((act) => callOf(act, tasks));
  return calls.every((call) => call !== null) ? { calls } : null;
}

const tools = { cancel: 'cancel_task', pause: 'pause_task', resume: 'resume_task', result: 'get_task_result' } as const;

function callOf(act: Act, tasks: readonly TaskSummary[]): Call | null {
  if (act.act === 'backends') return { tool: 'list_backends', args: {} };
  if (act.act === 'status' && act.ref === null) return { tool: 'check_task_status', args: {} };
  const ref = act.ref ?? '';
  const wants = act.act === 'result' || act.act === 'status' ? 'any' : 'open';
  const found = findTask(ref, tasks, wants);
  if (found.kind === 'none') return null;
  if (found.kind === 'all') return all(act, tasks);
  // Words that fit only in part, or a pronoun, are certain enough to ask about, but a correction may be about something else.
  if (found.kind === 'unsure' && (act.act === 'steer' || act.act === 'swap') && pointerOf(ref).isVague) return null;
  const id = found.kind === 'one' ? found.task.id : ref;
  // Words for a task that asks may be its answer.
  if (act.act === 'steer' && tasks.some((task) => task.id === id && task.question)) return null;
  if (act.act === 'steer') return { tool: 'steer_task', args: { id, text: act.text } };
  if (act.act === 'swap') return { tool: 'swap_model', args: { id, backend: act.backend } };
  if (act.act === 'status') return { tool: 'check_task_status', args: { id } };
  return { tool: tools[act.act], args: { id } };
}

function all(act: Act, tasks: readonly TaskSummary[]): Call | null {
  if (act.act === 'status') return { tool: 'check_task_status', args: {} };
  if (act.act !== 'cancel' && act.act !== 'pause' && act.act !== 'resume') return null;
  return tasks.length > 0 ? { tool: tools[act.act], args: { id: 'all' } } : { tool: 'check_task_status', args: {} };
}

/**
 * Whether the words of a line bear out an act that a small model has chosen. What they do not is asked about.
 * @param id the task that the act is for.
 */
export function isBorneOut(line: string, { tool, args }: Call, id: string, tasks: readonly TaskSummary[]): boolean {
  const words = Object.hasOwn(actWords, tool) ? actWords[tool] : undefined;
  if (words && !words.test(line)) return false;
  if (tool === 'swap_model' && !plainText(line).includes(String(args.backend).toLowerCase())) return false;
  const open = tasks.filter(({ outcome, parent }) => outcome === null && parent === null);
  if (open.length <= 1) return true;
  const found = findTask(line, tasks, 'open');
  if (found.kind === 'one') return found.task.id === id;
  // Words that fit in part bear out an act that the line names, and no correction.
  return tool !== 'steer_task' && found.kind === 'unsure' && found.tasks.length === 1 && found.tasks[0]!.id === id;
}
