/** Parses a typed line. */
import { usageError } from '../errors.ts';
import { namesOf } from './attachments.ts';

export type Input =
  | { readonly kind: 'nothing' }
  /** A message to the primary agent. */
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'command'; readonly name: string; readonly words: readonly string[]; readonly rest: string }
  | { readonly kind: 'steer' | 'answer'; readonly ref: string; readonly text: string };

/**
 * `@k3xq.4 text` steers a task, `@k3xq.4? text` answers its open question, `/name …` is a command, and any other text goes to the
 * primary. So does a text of several lines that begins like a command without a text of its own: it was pasted, and `/quit` in it
 * is meant to be read. Three quotes around a text make it a message in any case, and so does a file's name after the first `@`.
 * @param takesText whether there is such a command and it ends in a free text.
 * @param isFile whether a name after an `@` is that of a file.
 * @throws CoxError `usage`.
 */
export function readLine(
  line: string,
  takesText: (command: string) => boolean = () => true,
  isFile: (name: string) => boolean = () => false,
): Input {
  const text = line.trim();
  if (text === '') return { kind: 'nothing' };
  const quoted = /^"""([\s\S]*)"""$/.exec(text)?.[1];
  if (quoted !== undefined && quoted.trim() !== '') return { kind: 'say', text: whole(quoted) };
  if (text.startsWith('@')) return namesOf(text).slice(0, 1).some(isFile) ? { kind: 'say', text: whole(line) } : readAt(text);
  const command = /^\/([a-z]+)(?!\S)([\s\S]*)$/.exec(text);
  if (command && (!text.includes('\n') || takesText(command[1]!))) {
    const rest = (command[2] ?? '').trim();
    return { kind: 'command', name: command[1]!, words: wordsOf(rest), rest };
  }
  // The text may begin with a path, so apart from commands (a word after the slash) only a lone slash is an error.
  if (text === '/') throw usageError('A command is missing after the slash.', '/help lists them.');
  return { kind: 'say', text: whole(line) };
}

/** A text without blank lines around it. The indentation of its first line stays. */
const whole = (text: string): string => (text.includes('\n') ? text.replace(/^(?:[^\S\n]*\n)+/, '').trimEnd() : text.trim());

/** The words of the first line. Further lines stay whole, as part of the last word. */
function wordsOf(rest: string): string[] {
  if (rest === '') return [];
  const [first = '', ...more] = rest.split('\n');
  const words = first.trim().split(/\s+/);
  if (more.length === 0) return words;
  const lines = more.join('\n');
  return words.length === 1 ? [...words, lines] : [...words.slice(0, -1), `${words.at(-1)}\n${lines}`];
}

function readAt(text: string): Input {
  const [, ref = '', question = '', said = ''] = /^@([^\s?]+)(\??)(?!\S)([\s\S]*)$/.exec(text) ?? [];
  if (ref === '') throw usageError('Which task?', 'As in: @k3xq.4 use my work email. Tab after the @ completes the id.');
  if (said.trim() === '') throw usageError(`There is no text for ${ref}.`, `As in: @${ref} use my work email.`);
  return { kind: question === '?' ? 'answer' : 'steer', ref, text: said.trim() };
}
