/** `cox import`: reads an exported tree. Its tasks have ended here, whatever they did where they ran, and never run. */
import { resolve } from 'node:path';
import { importTree } from '../../bus/archive/import-tree.ts';
import { RemoteCrew } from '../../bus/remote-crew.ts';
import { CoxError } from '../../platform/errors.ts';
import type { Run } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { importedLines } from '../render/archive.ts';
import { withCrew } from '../session.ts';

export const run: Run = (cli, [file = '']) =>
  withCrew(cli, { start: true }, async ({ bus, crew }) => {
    if (crew instanceof RemoteCrew)
      throw new CoxError('role-denied', 'This member may not write records', {
        hint: 'Import it with a member of the role supervisor.',
      });
    const found = await importTree(bus, resolve(cli.cwd, file), cli.signal);
    cli.out.answer(found, importedLines(found, cli.out.paint.stdout));
    return exitCodes.ok;
  });
