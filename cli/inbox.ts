/**
 * The inbox: the open questions of all tasks, numbered. A number names the question beside which it was shown and no other one, so
 * that an answer never reaches a question that the operator has not read. A shown list therefore keeps its numbers until the next
 * one is shown, whatever happens to its questions.
 */
import type { OpenQuestion } from '../bus/state/open-questions.ts';
import type { TaskId } from '../bus/task-id.ts';
import { meaningOf } from '../machines/answer.ts';
import { CoxError } from '../platform/errors.ts';
import { usageError } from './errors.ts';
import { exitCodes } from './exit-codes.ts';

/** A line of a list that an operator has seen. */
export interface Shown {
  readonly number: number;
  readonly id: TaskId;
  /** Id of the question. */
  readonly question: string;
}
export interface Numbered extends OpenQuestion {
  readonly number: number;
}
/** What an operator has named instead of a task and a question. */
export type Named = 'all' | readonly number[];

export const numbered = (open: readonly OpenQuestion[]): Numbered[] => open.map((each, at) => ({ number: at + 1, ...each }));
export const shownOf = (list: readonly Numbered[]): Shown[] =>
  list.map(({ number, id, question }) => ({ number, id, question: question.id }));

/** `2`, `1,3` or `all`. Null if the words name a task and a question: `k3xq.4 q1 yes`, and `2 q1 yes` for a goal `2…`. */
export function namedBy(ref: string, next: string | undefined): Named | null {
  if (ref === 'all') return 'all';
  if (!/^\d+(,\d+)*$/.test(ref) || /^q\d+$/.test(next ?? '')) return null;
  return [...new Set(ref.split(',').map(Number))];
}

/**
 * The questions of a list that are still open.
 * @param shown the last list that the operator has seen; null if there was none.
 * @param command shows the list: `cox inbox` or `/inbox`.
 * @throws CoxError `usage` if a number was not shown, `stale-number` if its question is not open any more.
 */
export function stillOpen(
  named: Named,
  shown: readonly Shown[] | null,
  open: readonly OpenQuestion[],
  command: string,
): Numbered[] {
  if (shown === null) {
    const what =
      named === 'all' ? 'no question has been shown' : `no list has been shown, so ${named.join(' and ')} names no question`;
    throw usageError(`Here ${what}.`, `${command} shows the open questions with their numbers.`);
  }
  const current = ({ number, id, question }: Shown): Numbered[] => {
    const found = open.find((each) => each.id === id && each.question.id === question);
    return found ? [{ number, ...found }] : [];
  };
  if (named === 'all') return shown.flatMap(current);
  return named.map((number) => {
    const line = shown.find((each) => each.number === number);
    if (!line)
      throw usageError(
        `The list that was shown has no number ${number}.`,
        `${command} shows the open questions with their numbers.`,
      );
    const [found] = current(line);
    if (found) return found;
    throw new CoxError('stale-number', `${number} was question ${line.question} of ${line.id}, which is not open any more.`, {
      hint: `Nothing was answered. ${command} shows the open questions with new numbers.`,
      exitCode: exitCodes.returned,
    });
  });
}

/**
 * Splits questions into those that take the words as one of their choices, and the others. An answer to all of them goes only to
 * the former: the words may be a wrong answer to a question of another kind, which would take them literally.
 */
export function takers(list: readonly Numbered[], text: string): { takes: Numbered[]; left: Numbered[] } {
  const isChoice = ({ question: { kind, choices = [] } }: Numbered) => meaningOf({ kind, choices }, text).kind === 'choice';
  return { takes: list.filter(isChoice), left: list.filter((each) => !isChoice(each)) };
}
