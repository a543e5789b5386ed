/** Reads a goal or an instruction from the words of the command line, or from stdin for `-`. */
import { fstatSync } from 'node:fs';
import { maxInstructionChars } from '../bus/messages.ts';
import { CoxError, messageOf } from '../platform/errors.ts';
import { utfText } from '../platform/utf-text.ts';
import { usageError } from './errors.ts';

const runUsage = 'cox run "<goal>"';

/**
 * @param usage an example of the command, for the hint of an error.
 * @throws CoxError `empty-goal`, `goal-too-long`, `bad-stdin`.
 */
export async function readGoal(words: readonly string[], stdin: NodeJS.ReadStream, usage = runUsage): Promise<string> {
  const fromStdin = words.length === 1 && words[0] === '-';
  const text = fromStdin ? await readAll(stdin) : words.join(' ');
  return checkGoal(text, fromStdin ? 'stdin' : 'the command line', usage);
}

export function checkGoal(text: string, from: string, usage = runUsage): string {
  if (text.trim() === '') throw usageError(`The goal from ${from} is empty.`, `Describe the work: ${usage}.`, 'empty-goal');
  if (text.length > maxInstructionChars)
    throw usageError(
      `The goal from ${from} is longer than ${maxInstructionChars.toLocaleString('en')} characters.`,
      'Put the material into files in the workspace and name them in the goal.',
      'goal-too-long',
    );
  return text.trim();
}

/** Stops reading when the text is certainly too long, so that a gigabyte piped in by mistake costs neither memory nor time. */
async function readAll(stdin: NodeJS.ReadStream): Promise<string> {
  if (stdin.isTTY) process.stderr.write('Type the goal; Ctrl-D on an empty line ends it.\n');
  const most = stdin.isTTY ? Number.POSITIVE_INFINITY : maxInstructionChars * 8;
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    // Node gives an empty stream in place of a folder.
    if (stdin === process.stdin && fstatSync(0).isDirectory()) throw unreadable('it is a folder');
    for await (const chunk of stdin) {
      chunks.push(Buffer.from(chunk as Buffer));
      bytes += chunks.at(-1)!.length;
      if (bytes > most) break;
    }
  } catch (error) {
    throw error instanceof CoxError ? error : unreadable(messageOf(error));
  }
  return decoded(Buffer.concat(chunks), bytes > most);
}

const unreadable = (why: string): CoxError =>
  usageError(`stdin cannot be read: ${why}.`, 'Give the goal as words, or pipe a text into stdin.', 'bad-stdin');

function decoded(bytes: Buffer, isCut: boolean): string {
  try {
    return utfText(bytes, isCut);
  } catch {
    throw usageError('The text from stdin is not UTF-8.', 'Convert it, for example with iconv -t utf-8.', 'bad-stdin');
  }
}
