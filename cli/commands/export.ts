/** `cox export`: writes a task with all below it into one file, without secrets, for a bug report or another machine. */
import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { z } from 'zod';
import { type Exported, exportLines } from '../../bus/archive/export-tree.ts';
import { RemoteCrew } from '../../bus/remote-crew.ts';
import { CoxError } from '../../platform/errors.ts';
import type { Folders } from '../../platform/folders.ts';
import type { Cli, Run } from '../cli.ts';
import { usageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { parseOptions } from '../parse-options.ts';
import { exportedLines } from '../render/archive.ts';
import { readRoster } from '../roster.ts';
import { findTask, withCrew } from '../session.ts';

const Shape = z.object({
  output: z.string().min(1, 'expected a file').optional(),
  artifacts: z.boolean().default(true),
  force: z.literal(true).optional(),
});

export const run: Run = async (cli, [ref = ''], options) => {
  const { output, artifacts, force = false } = parseOptions(Shape, options);
  return withCrew(cli, { start: 'if stored' }, async (joined) => {
    const { crew, bus, folders } = joined;
    if (crew instanceof RemoteCrew)
      throw new CoxError('role-denied', 'This member may not read the streams', {
        hint: 'Export the task on a machine that hosts tasks.',
      });
    const id = await findTask(crew, ref);
    const file = resolve(cli.cwd, output ?? `${id}.cox.gz`);
    if (!force && (await stat(file).catch(() => null)))
      throw usageError(`${file} is there already.`, 'Name another file with -o, or add --force.', 'file-exists');
    const told: Exported = { tasks: 0, messages: 0, artifacts: 0, redacted: [] };
    const roster = await rosterOf(cli, folders);
    const partial = `${file}.${process.pid}.part`;
    try {
      const lines = exportLines(bus, id, { artifacts, ...(roster && { roster }) }, told);
      await pipeline(Readable.from(lines), createGzip(), createWriteStream(partial, { flags: 'wx' }), { signal: cli.signal });
      await rename(partial, file);
    } finally {
      await rm(partial, { force: true });
    }
    const { size } = await stat(file);
    const found = { id, file, bytes: size, ...told };
    cli.out.answer(found, exportedLines(found, cli.out.paint.stdout));
    return exitCodes.ok;
  });
};

/** Backends without keys and addresses, and agents. Null where the roster of this machine cannot be read. */
async function rosterOf(cli: Cli, folders: Folders): Promise<object | null> {
  try {
    const { roster } = await readRoster(cli, folders);
    const backends = Object.entries(roster.backends).map(
      ([name, { kind, tier, goodAt, cost, context, maxOutput, concurrency, ...rest }]) => [
        name,
        { kind, tier, goodAt, cost, context, maxOutput, concurrency, model: 'model' in rest ? rest.model : null },
      ],
    );
    return { backends: Object.fromEntries(backends), agents: roster.agents };
  } catch {
    return null;
  }
}
