/** What a typed line means. */
import { usageError } from '../errors.ts';

export type Input =
  | { readonly kind: 'nothing' }
  /** For the primary. */
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'command'; readonly name: string; readonly words: readonly string[]; readonly rest: string }
  | { readonly kind: 'steer' | 'answer'; readonly ref: string; readonly text: string };

/** `@k3xq.4 text` steers, `@k3xq.4? text` answers the question that is open there, `/name …` is a command, all else is said to the primary. */
export function readLine(line: string): Input {
  const text = line.trim();
  if (text === '') return { kind: 'nothing' };
  if (text.startsWith('@')) return readAt(text);
  const command = /^\/([a-z]+)(?:\s+([\s\S]*))?$/.exec(text);
  if (command) {
    const rest = (command[2] ?? '').trim();
    return { kind: 'command', name: command[1]!, words: rest === '' ? [] : rest.split(/\s+/), rest };
  }
  // A path may be the first word of a goal: only a lone slash or a bare word is a mistyped command.
  if (text === '/') throw usageError('A command is missing after the slash.', '/help lists them.');
  return { kind: 'say', text };
}

function readAt(text: string): Input {
  const [, ref = '', question = '', said = ''] = /^@([^\s?]+)(\??)(?:\s+([\s\S]*))?$/.exec(text) ?? [];
  if (ref === '') throw usageError('Which task?', 'As in: @k3xq.4 use my work email. Tab after the @ completes the id.');
  if (said.trim() === '') throw usageError(`Nothing is said to ${ref}.`, `As in: @${ref} use my work email.`);
  return { kind: question === '?' ? 'answer' : 'steer', ref, text: said.trim() };
}
