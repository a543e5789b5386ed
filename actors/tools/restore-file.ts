/**
 * The tool of the tasks that `cox undo` makes. It goes back through the changes of a file as far as the file fits them: a change
 * is undone only if the file is what that change has left.
 */
import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { type Artifacts, type Content, sha256Of } from '../../bus/artifacts/artifacts.ts';
import type { UndoSpec } from '../../bus/messages.ts';
import { restoreToolName } from '../../bus/undo.ts';
import { replaceFile } from './files/replace-file.ts';
import { contentOf, fileChange, isTooLarge, type KeptFile, keepFile } from './kept-file.ts';
import { defineTool, type Tool, type ToolContext, type ToolOutput } from './tool.ts';
import { resolveInside, shown } from './workspace.ts';

type FileToUndo = UndoSpec['files'][number];
type FileChange = FileToUndo['changes'][number];

export const restoreFile = (artifacts: Artifacts, { files }: UndoSpec): Tool =>
  defineTool({
    name: restoreToolName,
    description: 'Undo changes of a file.',
    args: z.object({ path: z.string() }),
    effects: 'idempotent',
    target: ({ path }) => path,
    run: async ({ path }, context) => {
      const wanted = files.find((file) => file.path === path);
      if (!wanted) throw new Error(`${path} is not to be undone`);
      return restore(wanted, artifacts, context);
    },
  });

/** @throws Error that says why nothing of the file was undone. */
async function restore({ path, changes }: FileToUndo, artifacts: Artifacts, context: ToolContext): Promise<ToolOutput> {
  const file = await resolveInside(context.workspace, path);
  const target = shown(context.workspace, file);
  if (await isTooLarge(file)) throw new Error(`${target} has changed: it is too large now to be compared`);
  const now = await contentOf(file);
  const kept = await keepFile(context, file);
  // A first run of this call may have restored the file already.
  const was = kept.content === undefined ? now : kept.content;
  const back = await goneBack(was, changes, artifacts);
  if (back.undone.length === 0) return untouched(target, was, changes, artifacts);
  if (shaOf(now) !== shaOf(back.to)) {
    if (shaOf(now) !== shaOf(was)) throw new Error(`${target}: it has changed meanwhile`);
    await put(file, back.to, now);
  }
  const { undone, to } = back;
  return { text: inWords(target, undone, changes, to), artifacts: to ? [target] : [], changes: [changeOf(target, kept, back)] };
}

interface Back {
  /** The file as it was before the undone changes. */
  readonly to: Content | null;
  /** In the order in which they were undone. */
  readonly undone: readonly FileChange[];
}

/**
 * Follows the changes back from the content. After a change only older ones of its task come; which one of two tasks was first is
 * not known, so the content alone decides between them.
 */
async function goneBack(from: Content | null, changes: readonly FileChange[], artifacts: Artifacts): Promise<Back> {
  let left = [...changes];
  const undone: FileChange[] = [];
  let to = from;
  for (;;) {
    const at = left.findIndex(({ after }) => after === shaOf(to));
    if (at < 0) return { to, undone };
    const { before, task } = left[at]!;
    undone.push(left[at]!);
    to = before === null ? null : await artifacts.read(before);
    left = left.filter((change, i) => i > at || (i < at && change.task !== task));
  }
}

/** @throws Error unless the file already is what one of the changes replaced. */
async function untouched(
  target: string,
  now: Content | null,
  changes: readonly FileChange[],
  artifacts: Artifacts,
): Promise<ToolOutput> {
  for (const { before } of changes) {
    const earlier = before === null ? null : await artifacts.read(before);
    if (shaOf(earlier) === shaOf(now)) return { text: `${target} is already as it was before` };
  }
  const [last] = changes;
  const what = now === null ? 'has been removed' : last!.after === null ? 'has been created again' : 'has changed';
  throw new Error(`${target} ${what} since ${last!.task}, step ${last!.step}`);
}

async function put(file: string, to: Content | null, now: Content | null): Promise<void> {
  const check = async () => {
    if (shaOf(await contentOf(file)) !== shaOf(now)) throw new Error('it has changed meanwhile');
  };
  if (to) return replaceFile(file, to.bytes, now?.mode ?? to.mode ?? null, check);
  await check();
  await rm(file);
}

const shaOf = (content: Content | null): string | null => content && sha256Of(content.bytes);

function changeOf(target: string, kept: KeptFile, { to, undone }: Back) {
  const sum = (count: (change: FileChange) => number | undefined) =>
    undone.reduce<number | undefined>((total, change) => {
      const more = count(change);
      return total === undefined || more === undefined ? undefined : total + more;
    }, 0);
  const [added, removed] = [sum((change) => change.removed), sum((change) => change.added)];
  return {
    ...fileChange(target, kept, to?.bytes ?? null),
    ...(added !== undefined && { added }),
    ...(removed !== undefined && { removed }),
  };
}

function inWords(target: string, undone: readonly FileChange[], changes: readonly FileChange[], to: Content | null): string {
  const { task, step } = undone.at(-1)!;
  const part = undone.length < changes.length ? ` (${undone.length} of ${changes.length} changes)` : '';
  return `${to ? 'restored' : 'removed'} ${target} as before ${task}, step ${step}${part}`;
}
