/** The part of a proposed call that an operator edits: a text that the tool would write, or else its arguments. */
import { extname } from 'node:path';
import type { Question } from '../bus/messages.ts';
import { usageError } from './errors.ts';

type Args = Record<string, unknown>;

export interface Proposal {
  readonly text: string;
  /** Of the name of a file that holds the text. */
  readonly suffix: string;
  /** The arguments with another text. @throws CoxError `usage` if they cannot be made of it. */
  with(text: string): Args;
}

/** The argument that is the text, for tools that write one. */
const textArguments: Readonly<Record<string, string>> = { write_file: 'text', edit_file: 'new', apply_patch: 'patch' };

/** @throws CoxError `usage` if the question does not have the arguments. */
export function proposalOf({ id, call }: Question): Proposal {
  if (call?.args === undefined)
    throw usageError(
      `Question ${id} does not have the arguments of its call: they are too long to be edited here.`,
      'Approve it, or deny it with a reason, as in: no, split it into two files.',
    );
  const args = asArgs(call.args);
  const key = textArguments[call.tool];
  const text = key === undefined ? undefined : args?.[key];
  if (args && key !== undefined && typeof text === 'string')
    return { text, suffix: suffixOf(call.tool, args), with: (edited) => ({ ...args, [key]: edited }) };
  return { text: `${JSON.stringify(call.args, null, 2)}\n`, suffix: '.json', with: argsIn };
}

/** The model has chosen the path, so only letters and digits of it get into a file name. */
function suffixOf(tool: string, { path }: Args): string {
  if (tool === 'apply_patch') return '.patch';
  const suffix = typeof path === 'string' ? extname(path) : '';
  return /^\.[A-Za-z0-9]{1,12}$/.test(suffix) ? suffix : '.txt';
}

function argsIn(text: string): Args {
  const args = asArgs(parsed(text));
  if (args) return args;
  throw usageError(
    'The arguments are not a JSON object.',
    'Nothing was sent. Edit them again: braces, quoted names, no comments.',
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const asArgs = (value: unknown): Args | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Args) : null;
