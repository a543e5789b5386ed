/**
 * Which tools a small model may choose from for a line: those that the operator's words can mean. The grammar holds the model to
 * them. The list of tools in the prompt stays the same, because a prompt that changes would have to be read anew. Pure.
 */
import type { TaskSummary } from '../../bus/state/tree.ts';
import { findTask } from './references.ts';
import { aboutNotes, actWords, beginsWork } from './words.ts';

export interface Allowed {
  readonly mode: 'auto' | 'required';
  readonly only: readonly string[];
}

const always = ['dispatch_task', 'check_task_status', 'remember', 'recall'];
const aboutModels = /\b(?:models?|backends?|modelle?n?|modèles?)\b/iu;
const ofTheOperator = /\b(?:my|our|meine?[rmns]?|unsere?[rmns]?|mon|ma|mes|notre|nos)\b/iu;
const pronoun = /\b(?:it|them|they|he|she|es|ihn|sie|ihm|elle|lui|le)\b/iu;

/** @param tools names of the tools of the prompt. */
export function allowedFor(line: string, tasks: readonly TaskSummary[], tools: readonly string[]): Allowed {
  const open = tasks.filter(({ outcome }) => outcome === null);
  const isAsking = open.some(({ question }) => question);
  const acts = Object.keys(actWords).filter((tool) => actWords[tool]!.test(line));
  const isQuestion = line.trim().endsWith('?');
  const inOpen = findTask(line, tasks, 'open');
  const found = inOpen.kind === 'none' ? findTask(line, tasks, 'any') : inOpen;
  const named = found.kind === 'one' || (found.kind === 'unsure' && found.tasks.length === 1);
  const only = (names: readonly string[]) => tools.filter((name) => names.includes(name));
  if (named && !isQuestion && !aboutNotes.test(line) && !beginsWork.test(line)) {
    // A line about a task is an act on it, and nothing that the model may answer out of its head.
    const some = acts.length > 0 ? acts : ['steer_task', ...(isAsking ? ['answer_question'] : [])];
    return { mode: 'required', only: only([...some, ...swap(line, tools)]) };
  }
  if (named && isQuestion && !isAsking)
    return { mode: 'required', only: only(['check_task_status', 'get_task_result', ...(aboutNotes.test(line) ? always : [])]) };
  // No model knows the operator's own things, but the notes may.
  if (isQuestion && ofTheOperator.test(line) && !isAsking) return { mode: 'required', only: only(['recall']) };
  // A correction that names no task needs a single task, or a pronoun and no file that the work would be about.
  const mayCorrect = open.filter(({ parent }) => parent === null).length === 1 || (pronoun.test(line) && !/\w\.\w/.test(line));
  const about = open.length > 0 ? ['get_task_result', ...(mayCorrect ? ['steer_task'] : []), ...acts, ...swap(line, tools)] : [];
  return {
    mode: 'auto',
    only: only([
      ...always,
      ...about,
      ...(isAsking ? ['answer_question'] : []),
      ...(aboutModels.test(line) ? ['list_backends'] : []),
    ]),
  };
}

const swap = (line: string, tools: readonly string[]): string[] =>
  aboutModels.test(line) && tools.includes('swap_model') ? ['swap_model'] : [];
