import { z } from 'zod';
import { defineTool } from '../tool.ts';
import { keptInWords, linksOf, previewOf } from './change-words.ts';
import { carryOut, changesOf, planned, type Wanted } from './file-changes.ts';
import { asTarget, FilePath } from './paths.ts';
import { textLike } from './text-form.ts';

interface Args {
  readonly path: string;
  readonly text: string;
}
const wantedOf = ({ path, text }: Args): Wanted[] => [
  // A new file gets the line ends that the model has written.
  { path, verb: 'replaces', make: async ({ formed }) => (formed ? textLike(formed, text) : text) },
];

export const writeFileTool = defineTool<Args>({
  name: 'write_file',
  description: 'Write a text file of the workspace; replaces what is there.',
  args: z.object({ path: FilePath, text: z.string().max(200_000) }),
  effects: 'idempotent',
  target: ({ path }) => asTarget(path),
  preview: async (args, context) => previewOf(await planned(wantedOf(args), context)),
  run: async (args, context) => {
    const plans = await carryOut(wantedOf(args), context);
    const kept = plans.map(keptInWords).join();
    return {
      text: `wrote ${args.text.length} characters to ${args.path}${kept ? ` (kept: ${kept})` : ''}${plans.map(linksOf).join('')}`,
      artifacts: plans.map(({ now }) => now.name),
      changes: changesOf(plans),
    };
  },
});
