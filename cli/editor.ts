/** Lets the operator change a text in an editor: `$VISUAL`, `$EDITOR` or vi. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { messageOf } from '../platform/errors.ts';
import { isAlive } from '../platform/process-identity.ts';
import type { Cli } from './cli.ts';
import { usageError } from './errors.ts';

/** What the editor needs of the surface that opens it. */
export interface EditorRoom extends Pick<Cli, 'env' | 'onSignal'> {
  /** Where the editor draws. */
  readonly terminal: NodeJS.WriteStream;
  /** Keeps the surface off the terminal while `run` goes on. */
  readonly lend: <T>(run: () => Promise<T>) => Promise<T>;
}

/** The exit code of a shell that does not find a program. */
const notFound = 127;

/**
 * The file is in a folder that only this user can open, and is removed afterwards; if this process is killed, by a later one.
 * @param suffix of the file's name, such as `.py`, by which editors know the language.
 * @returns the text as it was saved.
 * @throws CoxError `usage` if the editor cannot start or ends with an error.
 */
export async function editedText(text: string, suffix: string, room: EditorRoom): Promise<string> {
  const editor = room.env.VISUAL || room.env.EDITOR || 'vi';
  await removeAbandoned();
  const folder = await mkdtemp(join(tmpdir(), `cox-edit-${process.pid}-`));
  const file = join(folder, `proposed${suffix}`);
  try {
    await writeFile(file, text, { mode: 0o600 });
    const code = await room.lend(() => run(editor, file, room));
    if (code === notFound) throw usageError(`The editor ${editor} cannot be started.`, 'Name one in VISUAL or EDITOR.');
    if (code !== 0) throw usageError(`The editor ${editor} ended with ${code ?? 'a signal'}.`, 'Nothing was sent.');
    return withoutAddedEnd(text, await readFile(file, 'utf8').catch(cannotBeRead));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** After this time in ms nobody types any more into a text whose `cox` was killed. */
const abandonedMs = 3_600_000;

/** Removes the texts of processes that were killed while their editor was open. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(/^cox-edit-(\d+)-/.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(pid) || isAlive(pid)) continue;
    const folder = join(tmpdir(), name);
    const found = await stat(folder).catch(() => null);
    // A folder of another user stays.
    if (found && Date.now() - found.mtimeMs > abandonedMs) await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

/** @returns the exit code; null if a signal ended the editor. */
function run(editor: string, file: string, { env, terminal, onSignal }: EditorRoom): Promise<number | null> {
  const child = spawn('sh', ['-c', `${editor} "$1"`, 'cox', file], { env, stdio: ['inherit', terminal, 'inherit'] });
  // Ctrl-C in an editor without raw mode reaches this process too, and is meant for the editor.
  const release = onSignal((signal) => child.kill(signal));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return ended.finally(release);
}

/** Many editors end the last line of a file whether its author wanted that or not. */
const withoutAddedEnd = (before: string, after: string): string =>
  !before.endsWith('\n') && after.endsWith('\n') ? after.slice(0, after.endsWith('\r\n') ? -2 : -1) : after;

const cannotBeRead = (cause: unknown): never => {
  throw usageError(`What the editor left cannot be read (${messageOf(cause)}).`, 'Nothing was sent.');
};
