import { z } from 'zod';
import { beginningOf } from '../../../platform/cut.ts';
import { codeOf } from '../../../platform/errors.ts';
import { clip, defineTool, type ToolContext } from '../tool.ts';
import { inFolder, resolveInside, type WorkspacePath } from '../workspace.ts';
import { withFile } from './open-file.ts';
import { asTarget, entriesOf, explain, ignored, inLine, Path } from './paths.ts';
import { isDraft } from './replace-file.ts';
import { encodedFile, NotText, textBlocks } from './text-blocks.ts';

export const searchFiles = defineTool({
  name: 'search_files',
  description: 'Find lines that contain a text, in all files of the workspace or of one folder.',
  args: z.object({
    query: z.string().min(1).max(256).describe('Text to find; upper and lower case are the same.'),
    path: Path.default('.'),
  }),
  effects: 'none',
  target: ({ path }) => asTarget(path),
  run: async ({ query, path }, context) => {
    const { workspace } = context;
    try {
      const { rows, files, left } = await search(await resolveInside(workspace, path), plain(query), context);
      const nothing = left.length === 0 ? `nothing contains "${query}"` : `nothing that was searched contains "${query}"`;
      const hits = clip(rows.join('\n') || nothing, 'search for something rarer, or in a folder');
      return { text: [hits, ...left].join('\n'), sources: files };
    } catch (cause) {
      throw await explain(path, cause, workspace);
    }
  },
});

const maxHits = 200;
/** Longest part of a line that a hit shows, in characters. */
const maxLineChars = 200;
/** Bytes that one search reads. Files beyond it are named as not searched. */
const maxSearchedBytes = 4_000_000_000;
/** Names of files or folders that one line of the search's remarks has. */
const maxNamed = 8;

interface Found {
  /** Matching lines, with file and number. */
  readonly rows: string[];
  /** Files that have some. */
  readonly files: string[];
  readonly unread: string[];
  /** Folders that are never gone into. */
  readonly passed: string[];
  binaries: number;
  links: number;
  bytes: number;
}

/** Upper and lower case, and letters with accents in one or in two signs, are the same. */
const plain = (text: string): string => text.normalize('NFC').toLowerCase();

/** @returns matching lines; in `left` a line for each reason why the search did not look at everything. */
async function search(
  start: WorkspacePath,
  query: string,
  { signal }: ToolContext,
): Promise<{ readonly rows: readonly string[]; readonly files: readonly string[]; readonly left: readonly string[] }> {
  const found: Found = { rows: [], files: [], unread: [], passed: [], binaries: 0, links: 0, bytes: 0 };
  const folders = [start];
  for (let folder = folders.pop(); folder && found.rows.length < maxHits; folder = folders.pop()) {
    const entries = await entriesOf(folder).catch((cause: unknown) => {
      if (folder === start && codeOf(cause) !== 'ENOTDIR') throw cause;
      return null;
    });
    if (!entries && folder === start) await searchFile(start, query, found, signal);
    else if (!entries) found.unread.push(`${folder.name}/`);
    for (const entry of entries ?? []) {
      signal.throwIfAborted();
      const path = inFolder(folder, entry.name);
      if (entry.isDirectory() && ignored.has(entry.name)) found.passed.push(path.name);
      else if (entry.isDirectory()) folders.push(path);
      // Symbolic links are neither file nor folder here, so that a search cannot leave the workspace.
      if (entry.isSymbolicLink()) found.links++;
      if (entry.isFile() && !isDraft(entry.name)) await searchFile(path, query, found, signal);
    }
  }
  return { rows: found.rows, files: found.files, left: remarks(found) };
}

async function searchFile(file: WorkspacePath, query: string, found: Found, signal: AbortSignal): Promise<void> {
  const { name } = file;
  if (found.rows.length >= maxHits) return;
  const before = found.rows.length;
  try {
    await withFile(file, async (open) => {
      if (found.bytes + open.size > maxSearchedBytes) return void found.unread.push(name);
      found.bytes += open.size;
      let line = 1;
      /** End of a line that is longer than a block: a hit may begin in it. */
      let rest = '';
      for await (const block of textBlocks(await encodedFile(open), signal)) {
        if (found.rows.length >= maxHits) return;
        const text = rest + block;
        if (plain(text).includes(query)) addHits(text, line, name, query, found);
        line += block.split('\n').length - 1;
        rest = block.endsWith('\n') ? '' : text.slice(text.lastIndexOf('\n') + 1).slice(1 - query.length || text.length);
      }
    });
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof NotText) found.binaries++;
    else found.unread.push(name);
  }
  if (found.rows.length > before) found.files.push(name);
}

function addHits(text: string, first: number, name: string, query: string, { rows }: Found): void {
  for (const [i, line] of text.split('\n').entries()) {
    const at = rows.length < maxHits ? plain(line).indexOf(query) : -1;
    if (at >= 0) rows.push(`${inLine(name)}:${first + i}: ${around(line.normalize('NFC'), at)}`);
  }
}

/** The beginning of the line; of a long line the part with the hit. */
function around(line: string, at: number): string {
  const skipped = at < maxLineChars / 2 ? 0 : beginningOf(line, at - maxLineChars / 4).length;
  return `${skipped > 0 ? '… ' : ''}${beginningOf(line.slice(skipped).trim(), maxLineChars)}`.toWellFormed();
}

const named = (names: readonly string[]): string =>
  `${names.slice(0, maxNamed).map(inLine).join(', ')}${names.length > maxNamed ? ` and ${names.length - maxNamed} more` : ''}`;

function remarks({ rows, unread, passed, binaries, links }: Found): string[] {
  return [
    ...(rows.length === maxHits
      ? [`(stopped after ${maxHits} lines; there may be more: search for something rarer, or in a folder)`]
      : []),
    ...(unread.length > 0 ? [`(not searched, too large or not readable: ${named(unread)})`] : []),
    ...(passed.length > 0 ? [`(not searched: ${named(passed)}; name such a folder as path to search it)`] : []),
    ...(links > 0 ? [`(${links} symbolic ${links === 1 ? 'link was' : 'links were'} not followed)`] : []),
    ...(binaries > 0 ? [`(skipped ${binaries} ${binaries === 1 ? 'file' : 'files'} that are not text)`] : []),
  ];
}
