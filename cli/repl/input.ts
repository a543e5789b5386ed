/** Parses a typed line. */
import { usageError } from '../errors.ts';

export type Input =
  | { readonly kind: 'nothing' }
  /** A message to the primary agent. */
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'command'; readonly name: string; readonly words: readonly string[]; readonly rest: string }
  | { readonly kind: 'steer' | 'answer'; readonly ref: string; readonly text: string };

/**
 * `@k3xq.4 text` steers a task, `@k3xq.4? text` answers its open question, `/name …` is a command, and any other text goes to the
 * primary.
 * @throws CoxError `usage`.
 */
export function readLine(line: string): Input {
  const text = line.trim();
  if (text === '') return { kind: 'nothing' };
  if (text.startsWith('@')) return readAt(text);
  const command = /^\/([a-z]+)(?:\s+([\s\S]*))?$/.exec(text);
  if (command) {
    const rest = (command[2] ?? '').trim();
    return { kind: 'command', name: command[1]!, words: rest === '' ? [] : rest.split(/\s+/), rest };
  }
  // The text may begin with a path, so apart from commands (a word after the slash) only a lone slash is an error.
  if (text === '/') throw usageError('A command is missing after the slash.', '/help lists them.');
  return { kind: 'say', text };
}

function readAt(text: string): Input {
  const [, ref = '', question = '', said = ''] = /^@([^\s?]+)(\??)(?:\s+([\s\S]*))?$/.exec(text) ?? [];
  if (ref === '') throw usageError('Which task?', 'As in: @k3xq.4 use my work email. Tab after the @ completes the id.');
  if (said.trim() === '') throw usageError(`There is no text for ${ref}.`, `As in: @${ref} use my work email.`);
  return { kind: question === '?' ? 'answer' : 'steer', ref, text: said.trim() };
}
