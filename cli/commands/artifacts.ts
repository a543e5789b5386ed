/** `cox artifacts <id>` lists what tasks have stored and replaced. `cox artifacts get <ref>` writes one into a file. */
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { Crew } from '../../bus/crew.ts';
import { readArtifact } from '../artifact.ts';
import type { Cli, Run } from '../cli.ts';
import { usageError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { pageShape, queryOf } from '../page-options.ts';
import { parseOptions } from '../parse-options.ts';
import { printArtifact } from '../print-artifact.ts';
import { artifactLines, savedLine } from '../render/artifacts.ts';
import { moreLines } from '../render/more.ts';
import { saveFile } from '../save-file.ts';
import { findTask, withCrew } from '../session.ts';

const Shape = z.object({
  ...{ limit: pageShape.limit, after: pageShape.after },
  ...{ output: z.string().min(1, 'expected a file, or - for stdout').optional(), force: z.literal(true).optional() },
});

export const run: Run = async (cli, [first = '', ref], options) => {
  const { output, force = false, ...page } = parseOptions(Shape, options);
  const isGet = first === 'get';
  if (isGet && ref === undefined) throw usageError('Which artifact?', 'As in: cox artifacts get k3xq.4/s2-0/made-0.');
  if (!isGet && (output !== undefined || force))
    throw usageError('-o and --force go with get.', 'As in: cox artifacts get k3xq.4/s2-0/made-0 -o page.png.');
  if (!isGet && ref !== undefined)
    throw usageError(`There is no "cox artifacts ${first}".`, 'There are: cox artifacts <id>, cox artifacts get <ref>.');
  return withCrew(cli, { start: 'if stored' }, async ({ crew, bus }) => {
    if (isGet) return get(cli, crew, ref!, output, force);
    const id = await findTask(crew, first);
    const { rows, next, more } = await crew.artifactPage(id, await queryOf(crew, page));
    const paint = cli.out.paint.stdout;
    cli.out.answer({ artifacts: rows, next, more }, [
      ...artifactLines(rows, id, bus.now(), paint, 'cox artifacts get'),
      ...moreLines({ next, more }, paint),
    ]);
    return exitCodes.ok;
  });
};

async function get(cli: Cli, crew: Crew, ref: string, output: string | undefined, force: boolean): Promise<ExitCode> {
  const { json, paint } = cli.out;
  if (json && output === '-')
    throw usageError('Either --json or -o -.', '--json names the file; cox artifact --json has the content.');
  const { label, content, sha256 } = await readArtifact(crew, ref);
  if (!content) {
    cli.out.answer({ ref, file: null }, [`${ref}: there was no file.`]);
    return exitCodes.ok;
  }
  if (output === '-') {
    printArtifact(cli, ref, content.bytes, label);
    return exitCodes.ok;
  }
  const file = await placeFor(resolve(cli.cwd, output ?? '.'), label.name);
  await saveFile(file, content.bytes, force);
  const saved = { ref, file, ...label, bytes: content.bytes.byteLength, sha256 };
  cli.out.answer(saved, [savedLine(saved, paint.stdout)]);
  return exitCodes.ok;
}

/** In a folder the file gets the name of the artifact, which is the name of one file and no path. */
const placeFor = async (path: string, name: string): Promise<string> =>
  (await stat(path).catch(() => null))?.isDirectory() ? join(path, name) : path;
