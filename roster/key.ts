/** Keys are read when they are used, and stored nowhere. */
import { accessSync, constants, readFileSync } from 'node:fs';
import { codeOf } from '../platform/errors.ts';
import type { KeyReference } from './backend-schema.ts';

/** The reason, in words, why the key is not available; null if it is. Cheap: it does not read the key. */
export function keyProblem(reference: KeyReference, env: NodeJS.ProcessEnv): string | null {
  switch (reference.from) {
    case 'none':
      return null;
    case 'env':
      return env[reference.name]?.trim() ? null : `its key is missing: the environment variable ${reference.name} is not set`;
    case 'file':
      try {
        accessSync(reference.path, constants.R_OK);
        return null;
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
  if (reference.from === 'env') return { key: env[reference.name]!.trim() };
  try {
    const key = readFileSync(reference.path, 'utf8').trim();
    return key ? { key } : { problem: `its key is missing: the file ${reference.path} is empty` };
  } catch (error) {
    return { problem: `its key is missing: the file ${reference.path} cannot be read (${codeOf(error)})` };
  }
}
