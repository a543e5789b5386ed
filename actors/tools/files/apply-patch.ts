import { z } from 'zod';
import { beginningOf } from '../../../platform/cut.ts';
import { defineTool } from '../tool.ts';
import { doneInWords, previewOf } from './change-words.ts';
import { textOf } from './edit-file.ts';
import { carryOut, changesOf, planned, type Wanted } from './file-changes.ts';
import { type FilePatch, filePatches, filesNamed, patched } from './patch.ts';
import { plainForm } from './text-form.ts';

/** Most files that one call changes. */
const maxFiles = 64;
/** Names of files that the label of a call has. */
const maxNamed = 4;
const maxTargetChars = 1_000;

export const applyPatch = defineTool({
  name: 'apply_patch',
  description: 'Change files of the workspace by a unified diff. A new or a deleted file has /dev/null as the other name.',
  args: z.object({
    patch: z.string().min(1).max(400_000).describe('For each file: --- old, +++ new, and hunks with 3 lines around each change.'),
  }),
  effects: 'idempotent',
  target: ({ patch }) => {
    const files = filesNamed(patch);
    const more = files.length > maxNamed ? ` and ${files.length - maxNamed} more` : '';
    return `${beginningOf(files.slice(0, maxNamed).join(', '), maxTargetChars)}${more}`;
  },
  preview: async ({ patch }, context) => previewOf(await planned(await wantedOf(patch), context)),
  run: async ({ patch }, context) => {
    const plans = await carryOut(await wantedOf(patch), context);
    const artifacts = plans.filter(({ kind }) => kind !== 'deleted').map(({ now }) => now.name);
    return { text: doneInWords(plans), artifacts, changes: changesOf(plans) };
  },
});

async function wantedOf(patch: string): Promise<Wanted[]> {
  const files = await filePatches(patch);
  if (files.length > maxFiles) throw new Error(`one call changes at most ${maxFiles} files; this patch has ${files.length}`);
  return files.map(wantedOfFile);
}

function wantedOfFile({ from, to, patch }: FilePatch): Wanted {
  const path = (to ?? from)!;
  const nothing = { text: '', form: plainForm };
  if (from === null)
    return {
      path,
      verb: 'changes',
      make: async ({ sha }) => {
        if (sha !== null) throw new Error(`${path} is there already; name it in both lines of the header`);
        return await patched(path, nothing, patch);
      },
    };
  return {
    path,
    verb: 'changes',
    make: async (now) => {
      const text = await patched(path, textOf(now, path), patch);
      if (to !== null) return text;
      if (text !== '') throw new Error(`the patch deletes ${path}, but leaves some of its lines`);
      return null;
    },
  };
}
