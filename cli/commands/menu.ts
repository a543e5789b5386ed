/** `cox menu`: lists the backends of the roster. */
import { foldersOf } from '../../platform/folders.ts';
import { menuEntry } from '../../roster/menu.ts';
import type { Run } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { menuLines } from '../render/menu.ts';
import { readRoster } from '../roster.ts';

const idle = { inUse: 0, inLine: 0, restMs: 0 };

export const run: Run = async (cli) => {
  const { source, roster } = await readRoster(cli, foldersOf(cli.env));
  const menu = Object.entries(roster.backends).map(([name, backend]) => menuEntry(name, backend, idle, cli.env));
  const paint = cli.out.paint.stdout;
  cli.out.answer({ roster: source.file, menu }, [...menuLines(menu, paint), paint.dim(`from ${source.file}`)].join('\n'));
  return exitCodes.ok;
};
