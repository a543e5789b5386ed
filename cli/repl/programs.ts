/** Programs of the operator that get the terminal for a while: the editor for a half-typed text, the pager for a long result. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { usageError } from '../errors.ts';
import { printable } from '../render/printable.ts';
import type { Screen } from './screen.ts';

/** The exit code of a shell that does not find a program. */
const notFound = 127;

/**
 * Lets the operator edit a text in `$VISUAL`, `$EDITOR` or vi. If the editor ends with an error, the text stays as it was.
 * @throws CoxError `usage` if there is no such editor.
 */
export async function editedText(screen: Screen, env: NodeJS.ProcessEnv, text: string): Promise<string> {
  const editor = env.VISUAL || env.EDITOR || 'vi';
  const folder = await mkdtemp(join(tmpdir(), 'cox-edit-'));
  const file = join(folder, 'message.md');
  try {
    await writeFile(file, text === '' ? '' : `${text}\n`, { mode: 0o600 });
    const code = await screen.lend(() => runShell(`${editor} "$1"`, [file], env, null));
    if (code === notFound) throw usageError(`The editor ${editor} cannot be started.`, 'Name one in VISUAL or EDITOR.');
    return code === 0 ? (await readFile(file, 'utf8')).replace(/\s+$/, '') : text;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Shows lines that are more than the screen holds in `$PAGER` (less). An empty `PAGER`, or one that cannot start, prints them. */
export async function page(screen: Screen, env: NodeJS.ProcessEnv, lines: readonly string[]): Promise<void> {
  const pager = env.PAGER ?? 'less';
  const isShort = lines.length < screen.rows;
  if (!screen.isTerminal || isShort || pager === '' || env.TERM === 'dumb') return screen.print(lines);
  const text = lines.map((line) => `${printable(line, 'keep colours')}\n`).join('');
  const code = await screen.lend(() => runShell(pager, [], { ...env, LESS: env.LESS ?? 'R' }, text));
  if (code === notFound) screen.print(lines);
}

/** @returns the exit code; -1 if a signal ended the program. */
function runShell(command: string, args: readonly string[], env: NodeJS.ProcessEnv, input: string | null): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('sh', ['-c', command, 'cox', ...args], {
      env,
      stdio: [input === null ? 'inherit' : 'pipe', 'inherit', 'inherit'],
    });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? -1));
    // A pager that is left early does not read to the end.
    child.stdin?.on('error', () => {}).end(input);
  });
}
