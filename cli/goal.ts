/** Reads a goal or an instruction from the words of the command line, or from stdin for `-`. */
import { maxInstructionChars } from '../bus/messages.ts';
import { usageError } from './errors.ts';

const runUsage = 'cox run "<goal>"';

/**
 * @param usage an example of the command, for the hint of an error.
 * @throws CoxError `empty-goal`, `goal-too-long`.
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
  if (stdin.isTTY) return readTyped(stdin);
  stdin.setEncoding('utf8');
  let text = '';
  for await (const chunk of stdin) {
    text += chunk as string;
    if (text.length > maxInstructionChars * 2) break;
  }
  return text;
}

async function readTyped(stdin: NodeJS.ReadStream): Promise<string> {
  process.stderr.write('Type the goal; Ctrl-D on an empty line ends it.\n');
  stdin.setEncoding('utf8');
  let text = '';
  for await (const chunk of stdin) text += chunk as string;
  return text;
}
