/** The tools of the `files` kind. */
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { codeOf, messageOf } from '../../platform/errors.ts';
import { fileChange, keepFile } from './kept-file.ts';
import { clip, defineTool, maxOutputChars, type ToolContext } from './tool.ts';
import { resolveInside, shown } from './workspace.ts';

const Path = z.string().min(1).max(1024);
const ignored = new Set(['node_modules', '.git']);
const maxFileBytes = 2_000_000;

/** An error that tells the model what was wrong and what there is instead, so that it can go on. */
const explain = async (path: string, cause: unknown, workspace: string): Promise<Error> => {
  const code = codeOf(cause);
  if (code === 'ENOENT')
    return new Error(`there is no file ${path}; the workspace has ${(await listing(workspace, 40)).join(', ')}`);
  if (code === 'EISDIR') return new Error(`${path} is a folder; use list_files`);
  if (code === 'ENOTDIR') return new Error(`${path} is not a folder`);
  if (code === 'EACCES' || code === 'EPERM') return new Error(`no permission for ${path}`);
  return cause instanceof Error ? cause : new Error(messageOf(cause));
};

export const listFiles = defineTool({
  name: 'list_files',
  description: 'List the files of a folder of the workspace.',
  args: z.object({ path: Path.default('.').describe('Folder, relative to the workspace.') }),
  effects: 'none',
  run: async ({ path }, { workspace }) => {
    try {
      const folder = await resolveInside(workspace, path);
      return { text: clip((await listing(folder)).join('\n') || '(empty)', 'list a folder below it') };
    } catch (cause) {
      throw await explain(path, cause, workspace);
    }
  },
});

/** Names in a folder, folders with a slash at the end. */
async function listing(folder: string, most = Number.POSITIVE_INFINITY): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const rows = entries
    .filter(({ name }) => !ignored.has(name) && !draftName.test(name))
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
  return rows.length > most ? [...rows.sort().slice(0, most), '…'] : rows.sort();
}

export const readFileTool = defineTool({
  name: 'read_file',
  description: 'Read a text file of the workspace.',
  args: z.object({
    path: Path.describe('File, relative to the workspace.'),
    offset: z.number().int().nonnegative().default(0).describe('Character to start at; to go on in a long file.'),
  }),
  effects: 'none',
  run: async ({ path, offset }, { workspace, signal }) => {
    try {
      const text = await readText(await resolveInside(workspace, path), path, signal);
      if (offset > 0 && offset >= text.length) throw new Error(`${path} has only ${text.length} characters`);
      return { text: clip(text.slice(offset), `go on with offset ${offset + maxOutputChars}`) || '(the file is empty)' };
    } catch (cause) {
      throw await explain(path, cause, workspace);
    }
  },
});

class NotText extends Error {}

async function readText(file: string, path: string, signal: AbortSignal): Promise<string> {
  const found = await stat(file);
  // Reading a pipe or a device may never end, and would keep the process alive.
  if (!found.isFile() && !found.isDirectory()) throw new Error(`${path} is not a regular file`);
  const { size } = found;
  if (size > maxFileBytes) throw new Error(`${path} has ${size} bytes; files up to ${maxFileBytes} can be read`);
  const data = await readFile(file, { signal });
  if (data.includes(0)) throw new NotText(`${path} is not a text file`);
  return data.toString('utf8');
}

export const searchFiles = defineTool({
  name: 'search_files',
  description: 'Find lines that contain a text, in all files of the workspace or of one folder.',
  args: z.object({
    query: z.string().min(1).max(256).describe('Text to find; upper and lower case are the same.'),
    path: Path.default('.'),
  }),
  effects: 'none',
  run: async ({ query, path }, context) => {
    const { workspace } = context;
    try {
      const { rows, left } = await search(await resolveInside(workspace, path), query.toLowerCase(), context);
      const nothing = left.length === 0 ? `nothing contains "${query}"` : `nothing that was searched contains "${query}"`;
      const hits = clip(rows.join('\n') || nothing, 'search for something rarer, or in a folder');
      return { text: [hits, ...left].join('\n') };
    } catch (cause) {
      throw await explain(path, cause, workspace);
    }
  },
});

const maxHits = 200;
/** Names of files or folders that one line of the search's remarks has. */
const maxNamed = 8;

/** @returns matching lines; in `left` a line for each reason why the search did not look at everything. */
async function search(
  start: string,
  query: string,
  { workspace, signal }: ToolContext,
): Promise<{ readonly rows: readonly string[]; readonly left: readonly string[] }> {
  const rows: string[] = [];
  const unread: string[] = [];
  let binaries = 0;
  const folders = [start];
  for (let folder = folders.pop(); folder && rows.length < maxHits; folder = folders.pop()) {
    const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
      if (folder === start) throw cause;
      return null;
    });
    if (!entries) unread.push(`${shown(workspace, folder)}/`);
    for (const entry of entries ?? []) {
      signal.throwIfAborted();
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !ignored.has(entry.name)) folders.push(path);
      // Symbolic links are neither file nor folder here, so that a search cannot leave the workspace.
      if (!entry.isFile()) continue;
      const text = await readText(path, path, signal).catch((cause: unknown) => {
        signal.throwIfAborted();
        if (cause instanceof NotText) binaries++;
        else unread.push(shown(workspace, path));
        return '';
      });
      for (const [i, line] of text.split('\n').entries())
        if (rows.length < maxHits && line.toLowerCase().includes(query))
          rows.push(`${shown(workspace, path)}:${i + 1}: ${line.trim().slice(0, 200)}`);
    }
  }
  const more = unread.length - maxNamed;
  const named = `${unread.slice(0, maxNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return {
    rows,
    left: [
      ...(rows.length === maxHits
        ? [`(stopped after ${maxHits} lines; there may be more: search for something rarer, or in a folder)`]
        : []),
      ...(unread.length > 0 ? [`(not searched, too large or not readable: ${named})`] : []),
      ...(binaries > 0 ? [`(skipped ${binaries} ${binaries === 1 ? 'file' : 'files'} that are not text)`] : []),
    ],
  };
}

export const writeFileTool = defineTool({
  name: 'write_file',
  description: 'Write a text file of the workspace; replaces what is there.',
  args: z.object({ path: Path.describe('File, relative to the workspace.'), text: z.string().max(200_000) }),
  effects: 'idempotent',
  run: async ({ path, text }, context) => {
    const { workspace, idempotencyKey } = context;
    try {
      const file = await resolveInside(workspace, path);
      const kept = await keepFile(context, file);
      await mkdir(dirname(file), { recursive: true });
      await writeWhole(file, text, idempotencyKey.replaceAll(/[^A-Za-z0-9]/g, '-'));
      const target = shown(workspace, file);
      const changes = [fileChange(target, kept, Buffer.from(text))];
      return { text: `wrote ${text.length} characters to ${path}`, artifacts: [target], changes };
    } catch (cause) {
      throw codeOf(cause) === 'ENOSPC' ? new Error(`no space left for ${path}`) : await explain(path, cause, workspace);
    }
  },
});

const draftName = /^\.cox-[A-Za-z0-9-]+\.draft$/;

/**
 * Writes a draft in the folder of the file and renames it over the file, so that a crash or a full disk leaves the old file
 * whole. The name of the draft has the call in it and not the name of the file, which may be as long as a name can be. The file
 * keeps its mode.
 */
async function writeWhole(file: string, text: string, key: string): Promise<void> {
  const draft = join(dirname(file), `.cox-${key}.draft`);
  const before = await stat(file).catch(() => null);
  if (before?.isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR' });
  try {
    await writeFile(draft, text, { mode: before?.mode ?? 0o666 });
    const handle = await open(draft);
    try {
      // The umask does not change the mode of a file that is there already.
      if (before) await handle.chmod(before.mode & 0o7777);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (cause) {
    await rm(draft, { force: true });
    throw cause;
  }
}
