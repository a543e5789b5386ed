import { z } from 'zod';
import { clip, defineTool } from '../tool.ts';
import { resolveInside } from '../workspace.ts';
import { asTarget, explain, listing, Path } from './paths.ts';

export const listFiles = defineTool({
  name: 'list_files',
  description: 'List the files of a folder of the workspace.',
  args: z.object({ path: Path.default('.').describe('Folder, relative to the workspace.') }),
  effects: 'none',
  target: ({ path }) => asTarget(path),
  run: async ({ path }, { workspace }) => {
    try {
      const names = await listing(await resolveInside(workspace, path));
      return { text: clip(names.join('\n') || '(empty)', 'list a folder below it') };
    } catch (cause) {
      throw await explain(path, cause, workspace);
    }
  },
});
