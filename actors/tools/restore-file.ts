/**
 * The tool of the tasks that `cox undo` makes. It goes back through the changes of a file as far as the file fits them: a change
 * is undone only if the file is what that change has left.
 */
import { z } from 'zod';
import { type Artifacts, type Content, maxArtifactBytes, sha256Of } from '../../bus/artifacts/artifacts.ts';
import type { UndoSpec } from '../../bus/messages.ts';
import { restoreToolName } from '../../bus/undo.ts';
import type { Change } from '../../machines/effects.ts';
import { wholeOf, withFileIfAny } from './files/open-file.ts';
import { removeFile, replaceFile } from './files/replace-file.ts';
import { defineTool, type Kept, type Tool, type ToolContext, type ToolOutput } from './tool.ts';
import { resolveInside, type WorkspacePath } from './workspace.ts';

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
  const target = file.name;
  const found = await contentAt(file);
  const now = found?.content ?? null;
  const kept = (await context.keep?.(now)) ?? null;
  // A first run of this call may have restored the file already.
  const was = kept ? kept.content : now;
  const back = await goneBack(was, changes, artifacts);
  if (back.undone.length === 0) return untouched(target, was, changes, artifacts);
  if (shaOf(now) !== shaOf(back.to)) {
    if (shaOf(now) !== shaOf(was)) throw new Error(`${target}: it has changed meanwhile`);
    await put(file, back.to, found);
  }
  const { undone, to } = back;
  return {
    text: inWords(target, undone, changes, to),
    artifacts: to ? [target] : [],
    changes: [changeOf(target, kept, was, back)],
  };
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

interface Found {
  readonly content: Content;
  /** Another one after every write of the file (file-stamp.ts). */
  readonly stamp: string;
}

/** @returns null: there is no file. */
const contentAt = (file: WorkspacePath): Promise<Found | null> =>
  withFileIfAny(file, async (open) => {
    if (open.size > maxArtifactBytes) throw new Error(`${file.name} has changed: it is too large now to be compared`);
    return { content: await wholeOf(open), stamp: open.stamp };
  });

async function put(file: WorkspacePath, to: Content | null, found: Found | null): Promise<void> {
  const check = (stamp: string | null) => {
    if (stamp !== (found?.stamp ?? null)) throw new Error(`${file.name}: it has changed meanwhile`);
  };
  await (to ? replaceFile(file, to.bytes, found?.content.mode ?? to.mode ?? null, check) : removeFile(file, check));
}

const shaOf = (content: Content | null): string | null => content && sha256Of(content.bytes);

function changeOf(target: string, kept: Kept | null, was: Content | null, { to, undone }: Back): Change {
  const sum = (count: (change: FileChange) => number | undefined) =>
    undone.reduce<number | undefined>((total, change) => {
      const more = count(change);
      return total === undefined || more === undefined ? undefined : total + more;
    }, 0);
  const [added, removed] = [sum((change) => change.removed), sum((change) => change.added)];
  return {
    target,
    kind: to === null ? 'deleted' : was === null ? 'created' : 'changed',
    ...(added !== undefined && { added }),
    ...(removed !== undefined && { removed }),
    ...(kept && { before: kept.content && kept.name }),
    after: shaOf(to),
  };
}

function inWords(target: string, undone: readonly FileChange[], changes: readonly FileChange[], to: Content | null): string {
  const { task, step } = undone.at(-1)!;
  const part = undone.length < changes.length ? ` (${undone.length} of ${changes.length} changes)` : '';
  return `${to ? 'restored' : 'removed'} ${target} as before ${task}, step ${step}${part}`;
}
