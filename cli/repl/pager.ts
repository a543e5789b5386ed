/** The pager of the operator, which gets the terminal for a while. */
import { spawn } from 'node:child_process';
import { message } from '../render/printable.ts';
import type { Screen } from './screen.ts';

/** The exit code of a shell that does not find a program. */
const notFound = 127;

/** Shows lines that are more than the screen holds in `$PAGER` (less). An empty `PAGER`, or one that cannot start, prints them. */
export async function page(screen: Screen, env: NodeJS.ProcessEnv, lines: readonly string[]): Promise<void> {
  const pager = env.PAGER ?? 'less';
  const isShort = lines.length < screen.rows;
  if (!screen.isTerminal || isShort || pager === '' || env.TERM === 'dumb') return screen.print(lines);
  const text = lines.map((line) => `${message(line)}\n`).join('');
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
