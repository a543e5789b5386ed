import { realpathSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { CoxError } from '../../platform/errors.ts';
import { isInside } from '../tools/workspace.ts';

/**
 * The folder that a task's file tools are confined to. On the embedded server every client is the same user on the same machine,
 * so a task may name any folder. On a server that others use too, it may only name a folder that really lies inside the node's own.
 * @throws CoxError `workspace-refused`.
 */
export function workspaceOf(asked: string | null, own: string, isPrivate: boolean): { folder: string } {
  if (asked === null) return { folder: own };
  if (isAbsolute(asked) && isPrivate) return { folder: asked };
  const folder = isAbsolute(asked) ? realFolder(asked) : null;
  if (folder !== null && isInside(realpathSync(own), folder)) return { folder };
  throw new CoxError('workspace-refused', `The workspace ${asked} is not a folder inside ${own}`, {
    hint: 'Start the worker with `--workspace`, or dispatch the task without a workspace.',
  });
}

/** With its symlinks resolved; null: there is none. */
function realFolder(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}
