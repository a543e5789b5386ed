/** `cox menu`: lists the backends of the roster, and with `--probe` asks each of them. */
import { foldersOf } from '../../platform/folders.ts';
import { Lessons } from '../../roster/lessons.ts';
import { menuEntry } from '../../roster/menu.ts';
import type { Run } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { menuLines } from '../render/menu.ts';
import { oneLine } from '../render/printable.ts';
import { readRoster } from '../roster.ts';

const idle = { inUse: 0, inLine: 0, restMs: 0 };

export const run: Run = async (cli, _args, { probe }) => {
  const folders = foldersOf(cli.env);
  const { source, roster } = await readRoster(cli, folders);
  const probes = probe === true ? await (await import('../probe-backends.ts')).probeAll(cli, folders, roster) : {};
  const lessons = new Lessons(folders.state, Date.now);
  const menu = Object.entries(roster.backends).map(([name, backend]) => ({
    ...menuEntry(name, backend, idle, lessons.learnt(name, backend), cli.env),
    ...(Object.hasOwn(probes, name) && { probe: probes[name] }),
  }));
  const paint = cli.out.paint.stdout;
  cli.out.answer({ roster: source.file, menu }, [
    ...menuLines(menu, paint, new Date()),
    paint.dim(`from ${oneLine(source.file, 400)}`),
  ]);
  return menu.some((entry) => entry.probe?.answers === false) ? exitCodes.failed : exitCodes.ok;
};
