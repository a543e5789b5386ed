/** Keys are read when they are used, and stored nowhere. */
import { accessSync, constants, statSync } from 'node:fs';
import { codeOf, messageOf } from '../platform/errors.ts';
import { readSmallSync } from '../platform/small-file.ts';
import { lenientUtfText } from '../platform/utf-text.ts';
import type { KeyReference } from './backend-schema.ts';

const mostKeyBytes = 65_536;

/** The reason, in words, why the key is not available; null if it is. Cheap: it reads no file. */
export function keyProblem(reference: KeyReference, env: NodeJS.ProcessEnv): string | null {
  switch (reference.from) {
    case 'none':
      return null;
    case 'env':
      return inEnv(reference.name, env)
        ? malformed(inEnv(reference.name, env), `the environment variable ${reference.name}`)
        : `its key is missing: the environment variable ${reference.name} is not set`;
    case 'file':
      try {
        accessSync(reference.path, constants.R_OK);
        // A pipe without a writer would hold up the whole process.
        return statSync(reference.path).isFile() ? null : `its key is missing: ${reference.path} is not a file`;
      } catch (error) {
        return `its key is missing: the file ${reference.path} cannot be read (${codeOf(error)})`;
      }
  }
}

/** The key (null for `none`), or the reason why it is not available, in words. */
export function readKey(reference: KeyReference, env: NodeJS.ProcessEnv): { key: string | null } | { problem: string } {
  const problem = keyProblem(reference, env);
  if (problem !== null) return { problem };
  if (reference.from === 'none') return { key: null };
  if (reference.from === 'env') return { key: inEnv(reference.name, env) };
  const place = `the file ${reference.path}`;
  try {
    const key = lenientUtfText(readSmallSync(reference.path, mostKeyBytes)).trim();
    if (!key) return { problem: `its key is missing: ${place} is empty` };
    const wrong = malformed(key, place);
    return wrong === null ? { key } : { problem: wrong };
  } catch (error) {
    return { problem: `its key is missing: ${place} cannot be read (${codeOf(error) || messageOf(error)})` };
  }
}

/** `env:toString` names a variable, and not a method that every object has. */
const inEnv = (name: string, env: NodeJS.ProcessEnv): string => (Object.hasOwn(env, name) ? (env[name] ?? '').trim() : '');

/**
 * The reason, in words, why a text cannot be a key; null if it can. A key goes into an HTTP header, so it is visible ASCII in one
 * word. Copying adds the rest: the quotation marks of a letter, an invisible sign, a second line, the name of the header.
 */
function malformed(key: string, place: string): string | null {
  const wrong = (what: string): string => `its key in ${place} ${what}: copy the key again`;
  const quote = /^["'`]|["'`]$/.exec(key)?.[0];
  if (quote) return wrong(`begins or ends with a quotation mark (${quote})`);
  const strange = /[^\x20-\x7E\s]/u.exec(key)?.[0];
  if (strange) return wrong(`has a character that no key has (${nameOf(strange)})`);
  if (/[\r\n]/.test(key)) return wrong('has more than one line');
  if (/^Bearer\s/i.test(key)) return wrong('begins with "Bearer", which is sent anyway');
  return /\s/.test(key) ? wrong('has a blank in it') : null;
}

/** A character that can be seen is shown, with its number in Unicode. */
function nameOf(char: string): string {
  const number = `U+${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
  return /[\p{C}\p{Z}\p{M}]/u.test(char) ? number : `${char}, ${number}`;
}
