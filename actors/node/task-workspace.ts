import { isAbsolute } from 'node:path';
import { CoxError } from '../../platform/errors.ts';
import { isInside } from '../tools/workspace.ts';

/**
 * The folder that a task's file tools are confined to. On the embedded server every client is the same user on the same machine,
 * so a task may name any folder. On a server that others use too, it may only name a folder inside the node's own.
 * @throws CoxError `workspace-refused`.
 */
export function workspaceOf(asked: string | null, own: string, isPrivate: boolean): { folder: string } {
  if (asked === null) return { folder: own };
  if (isAbsolute(asked) && (isPrivate || isInside(own, asked))) return { folder: asked };
  throw new CoxError('workspace-refused', `The workspace ${asked} is not inside ${own}`, {
    hint: 'Start the worker with `--workspace`, or dispatch the task without a workspace.',
  });
}
