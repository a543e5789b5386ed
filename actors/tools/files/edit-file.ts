import { z } from 'zod';
import { defineTool } from '../tool.ts';
import { doneInWords, previewOf } from './change-words.ts';
import { carryOut, changesOf, planned, type Wanted } from './file-changes.ts';
import type { FileState } from './file-state.ts';
import { nearest } from './nearest.ts';
import { asTarget, FilePath } from './paths.ts';
import { maxWholeBytes } from './text-blocks.ts';
import { type FormedText, givenText } from './text-form.ts';

interface Args {
  readonly path: string;
  readonly old: string;
  readonly new: string;
  readonly all?: boolean | undefined;
}

export const editFileTool = defineTool<Args>({
  name: 'edit_file',
  description: 'Replace a text in a file of the workspace by another one. The rest of the file stays as it is.',
  args: z.object({
    path: FilePath,
    old: z.string().min(1).max(200_000).describe('Text to replace, exactly as in the file, long enough to be there only once.'),
    new: z.string().max(200_000).describe('Text to put there.'),
    all: z.boolean().optional().describe('true: replace it everywhere.'),
  }),
  effects: 'idempotent',
  target: ({ path }) => asTarget(path),
  preview: async (args, context) => previewOf(await planned(wantedOf(args), context)),
  run: async (args, context) => {
    const plans = await carryOut(wantedOf(args), context);
    return { text: doneInWords(plans), artifacts: plans.map(({ now }) => now.name), changes: changesOf(plans) };
  },
});

const wantedOf = (args: Args): Wanted[] => [
  { path: args.path, verb: 'changes', make: async (now) => edited(args, textOf(now, args.path)) },
];

/** @throws Error for the model if the file has no text that can be edited. */
export function textOf({ sha, data, formed }: FileState, path: string): FormedText {
  if (sha === null) throw Object.assign(new Error(`there is no file ${path}`), { code: 'ENOENT' });
  if (!data) throw new Error(`${path} is too large to be edited; files up to ${maxWholeBytes} bytes can be`);
  if (!formed) throw new Error(`${path} is not a text file`);
  return formed;
}

function edited(args: Args, now: FormedText): string {
  const { path, all = false } = args;
  if (args.old === args.new) throw new Error('the old and the new text are the same');
  const places = placesOf(args.old, now);
  if (places.length === 0) throw new Error(`${path} does not have this text${nearest(now.text, args.old)}`);
  if (places.length > 1 && !all) {
    const lines = places.slice(0, 8).map(({ start }) => now.text.slice(0, start).split('\n').length);
    const more = places.length > lines.length ? ' and more' : '';
    throw new Error(
      `${path} has this text ${places.length} times, in the lines ${lines.join(', ')}${more}; give more of what is around it, or all: true`,
    );
  }
  return replaced(now, places, args.new);
}

interface Place {
  readonly start: number;
  readonly end: number;
}

/** Where a text is, whatever its line ends. */
function placesOf(wanted: string, { text, form }: FormedText): Place[] {
  const given = givenText(wanted, form);
  if (form.lineEnds === 'mixed') {
    const pattern = given.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/\r?\n/g, '\\r?\\n');
    return [...text.matchAll(new RegExp(pattern, 'g'))].map(({ 0: found, index }) => ({
      start: index,
      end: index + found.length,
    }));
  }
  const places: Place[] = [];
  for (let at = text.indexOf(given); at >= 0; at = text.indexOf(given, at + given.length))
    places.push({ start: at, end: at + given.length });
  return places;
}

function replaced({ text, form }: FormedText, places: readonly Place[], by: string): string {
  const given = givenText(by, form);
  let result = '';
  let from = 0;
  for (const { start, end } of places) {
    result += text.slice(from, start);
    result += form.lineEnds === 'mixed' ? given.replaceAll(/\r?\n/g, lineEndAt(text, end)) : given;
    from = end;
  }
  return result + text.slice(from);
}
/** The last line end before a place, else the first one of the text. */
function lineEndAt(text: string, place: number): string {
  const before = text.lastIndexOf('\n', place - 1);
  const at = before >= 0 ? before : text.indexOf('\n');
  return text[at - 1] === '\r' ? '\r\n' : '\n';
}
