/** Turns an exception into a message for the operator and an exit code. This is the only place that does so. */
import { CoxError, codeOf, messageOf, storageError } from '../platform/errors.ts';
import { nearest } from '../platform/nearest.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import type { Reported } from './output.ts';

export const usageError = (message: string, hint: string, code = 'usage'): CoxError =>
  new CoxError(code, message, { hint, exitCode: exitCodes.usage });

const mostNamed = 8;

/** The first of many names, as choices. */
export const someOf = (names: readonly string[]): string => {
  const others = names.length - mostNamed;
  return `${names.slice(0, mostNamed).join(' or ')}${others > 0 ? ` or one of ${others.toLocaleString('en')} others` : ''}`;
};

/** @param known ids of all tasks, oldest first. */
export function unknownTask(id: string, known: readonly string[]): CoxError {
  return new CoxError('unknown-task', `No task ${id}.`, { hint: hintFor(id, known), exitCode: exitCodes.unknownTask });
}

/** Names the tasks of the same tree, else those with a similar name, else the newest. */
function hintFor(id: string, known: readonly string[]): string {
  if (known.length === 0) return 'There are no tasks yet. Start one: cox run "<goal>".';
  const rootOf = (name: string) => name.split('.')[0]!;
  const more = known.length > mostNamed ? ' "cox status --all" lists all.' : '';
  const inTree = known.filter((other) => rootOf(other) === rootOf(id));
  const like = new Set(nearest(rootOf(id), [...new Set(known.map(rootOf))]));
  const similar = nearest(id, known).concat(known.filter((other) => like.has(rootOf(other))));
  const near = [...new Set(inTree.length > 0 ? inTree : similar)].slice(0, mostNamed);
  if (inTree.length === 0 && near.length > 0) return `Did you mean ${near.join(' or ')}?${more}`;
  return `There are ${(near.length > 0 ? near : known.toReversed().slice(0, mostNamed)).join(', ')}.${more}`;
}

/** Thrown when a signal or a closed output ends the command. It is not reported; only its exit code counts. */
export class Interrupted extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super('interrupted');
    this.exitCode = exitCode;
  }
}

const isStorageCode = (code: string) => ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM'].includes(code);

export function reported(error: unknown, logFile: string | null): Reported & { exit: number } {
  const known =
    error instanceof CoxError ? error : isStorageCode(codeOf(error)) ? storageError(error, pathOf(error), 'writing') : null;
  if (known) return { code: known.code, message: known.message, hint: known.hint, exit: exitCodeOf(known) };
  const where = logFile ? ` The log is ${logFile}.` : '';
  return {
    code: 'internal',
    message: `Unexpected: ${messageOf(error)}`,
    hint: `This is a defect of Coxswain: please report it with the output of the same command and --verbose.${where}`,
    exit: exitCodes.internal,
  };
}

const pathOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'path' in error && typeof error.path === 'string' ? error.path : 'a file';
