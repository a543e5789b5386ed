import { isAbsolute } from 'node:path';
import { CoxError } from '../../platform/errors.ts';
import { isInside } from '../tools/workspace.ts';

/**
 * The folder a task's file tools are confined to. On the embedded server every client is the same user on the same machine, so a task may
 * name any folder; on a server that others use too, only one inside the node's own.
 */
export function workspaceOf(asked: string | null, own: string, isPrivate: boolean): { folder: string } {
  if (asked === null) return { folder: own };
  if (isAbsolute(asked) && (isPrivate || isInside(own, asked))) return { folder: asked };
  throw new CoxError('workspace-refused', `The workspace ${asked} is not inside ${own}`, {
    hint: 'Start the worker with `--workspace`, or leave the workspace to it.',
  });
}
