/** `cox roster`: shows and checks the roster in use, prints its schema, and edits it with its comments kept. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { rosterReport } from '../../actors/node/roster-report.ts';
import { foldersOf } from '../../platform/folders.ts';
import { readEdit } from '../../roster/edit-roster.ts';
import { rosterJsonSchema } from '../../roster/json-schema.ts';
import { Lessons } from '../../roster/lessons.ts';
import { loadRoster } from '../../roster/load.ts';
import { menuEntry } from '../../roster/menu.ts';
import type { Cli, Run } from '../cli.ts';
import { isConfirmed } from '../confirm.ts';
import { usageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { parseOptions } from '../parse-options.ts';
import { diffBrushes } from '../render/diff.ts';
import { oneLine, printable } from '../render/printable.ts';
import { rosterLines } from '../render/roster.ts';
import { readRoster, rosterSource } from '../roster.ts';
import { proposeEdit, writeEdit } from '../roster-file.ts';

const Shape = z.object({ yes: z.literal(true).optional() });
const idle = { inUse: 0, inLine: 0, restMs: 0 };

export const run: Run = async (cli, [action = 'show', ...words], options) => {
  const { yes = false } = parseOptions(Shape, options);
  if (yes && action !== 'edit') throw usageError('--yes goes with edit.', 'As in: cox roster edit reducer=concat --yes.');
  switch (action) {
    case 'show':
      return show(cli);
    case 'check':
      return check(cli, words[0]);
    case 'schema': {
      const schema = rosterJsonSchema();
      cli.out.content(schema, `${JSON.stringify(schema, null, 2)}\n`);
      return exitCodes.ok;
    }
    case 'edit':
      return edit(cli, words, yes);
    default:
      throw usageError(
        `There is no "cox roster ${oneLine(action, 40)}".`,
        'There are: cox roster show, cox roster check [file], cox roster schema, cox roster edit <path>=<value>.',
      );
  }
};

async function show(cli: Cli): Promise<number> {
  const folders = foldersOf(cli.env);
  const { source, roster } = await readRoster(cli, folders);
  const lessons = new Lessons(folders.state, Date.now);
  const menu = Object.entries(roster.backends).map(([name, backend]) =>
    menuEntry(name, backend, idle, lessons.learnt(name, backend), cli.env),
  );
  const file = source.by === 'shipped' ? null : source.file;
  const { node: _, ...report } = await rosterReport({ node: '', file, roster, menu });
  cli.out.answer({ ...report, by: source.by }, rosterLines(report, `${source.file} (${source.by})`, cli.out.paint.stdout));
  return exitCodes.ok;
}

async function check(cli: Cli, named: string | undefined): Promise<number> {
  const file = named === undefined ? (await rosterSource(cli, foldersOf(cli.env))).file : resolve(cli.cwd, named);
  const { backends, agents } = await loadRoster(file);
  const [some, kinds] = [Object.keys(backends), Object.keys(agents)];
  cli.out.answer({ file, valid: true, backends: some, agents: kinds }, [
    `${oneLine(file, 400)} is a good roster: ${some.length} ${some.length === 1 ? 'backend' : 'backends'}, ${kinds.length} kinds of agent.`,
  ]);
  return exitCodes.ok;
}

async function edit(cli: Cli, words: readonly string[], isAgreed: boolean): Promise<number> {
  if (words.length === 0) throw usageError('Which change?', 'As in: cox roster edit backends.local.concurrency=2.');
  const folders = foldersOf(cli.env);
  const edits = words.map(readEdit);
  const proposed = await proposeEdit(await rosterSource(cli, folders), edits, folders.config);
  const { file, diff, hash } = proposed;
  if (diff.text === '') {
    cli.out.answer({ file, hash, changed: false, diff: '' }, [`${oneLine(file, 400)} says so already. Nothing was changed.`]);
    return exitCodes.ok;
  }
  if (!isAgreed) {
    const lines = diff.text.trimEnd().split('\n');
    const brushes = diffBrushes(lines, cli.out.paint.stderr);
    cli.out.note(lines.map((line, at) => brushes[at]!(printable(line))));
    if (!(await isConfirmed(cli, `Write this into ${oneLine(file, 400)}?`, 'Add --yes to write it. Nothing was changed.'))) {
      cli.out.answer({ file, hash, changed: false, diff: diff.text }, ['Nothing was changed.']);
      return exitCodes.ok;
    }
  }
  const { backup } = await writeEdit(proposed);
  cli.out.answer({ file, changed: true, diff: diff.text, backup }, [
    ...(isAgreed
      ? diff.text
          .trimEnd()
          .split('\n')
          .map((line) => printable(line))
      : []),
    `${oneLine(file, 400)} is changed; the old one is ${oneLine(backup, 400)}. Nodes that use it take it up by themselves.`,
  ]);
  return exitCodes.ok;
}
