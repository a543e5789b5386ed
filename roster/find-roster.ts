/** Finds the roster file to use. */
import { access, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Folders } from '../platform/folders.ts';
import { RosterError } from './errors.ts';

export interface RosterSource {
  /** Absolute. */
  readonly file: string;
  /** The option, variable or folder by which the file was found. */
  readonly by: '--roster' | 'COX_ROSTER' | 'working folder' | 'config folder' | 'shipped';
}

/** The file of a roster that is read from stdin. */
export const stdinRoster = '/dev/stdin';

export interface FindRoster {
  /** The value of `--roster`; `-` is stdin. */
  readonly path?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  readonly folders: Pick<Folders, 'config'>;
  /** The working folder, absolute. */
  readonly cwd: string;
}

export const shippedRoster: RosterSource = { file: fileURLToPath(new URL('./default.yaml', import.meta.url)), by: 'shipped' };

/**
 * The first of: `--roster`, `COX_ROSTER`, `roster.yaml` in the working folder, `roster.yaml` in the config folder, the shipped
 * one.
 * @throws RosterError `roster-missing` if a file named by `--roster` or `COX_ROSTER` does not exist. Others are skipped.
 */
export async function findRoster({ path, env, folders, cwd }: FindRoster): Promise<RosterSource> {
  if (path === '-') return { file: stdinRoster, by: '--roster' };
  const named: RosterSource | null =
    path !== undefined
      ? { file: resolve(cwd, path), by: '--roster' }
      : env.COX_ROSTER
        ? { file: resolve(cwd, env.COX_ROSTER), by: 'COX_ROSTER' }
        : null;
  if (named) {
    if (await isThere(named.file)) return named;
    throw new RosterError('roster-missing', named.file, `${named.by} names a roster that is not there: ${named.file}`, [], {
      hint: `Create the file, or leave ${named.by} out to use the shipped roster.`,
    });
  }
  const places: RosterSource[] = [
    { file: join(cwd, 'roster.yaml'), by: 'working folder' },
    { file: join(folders.config, 'roster.yaml'), by: 'config folder' },
  ];
  // A pipe in a downloaded folder is no roster: nobody may ever write to it.
  for (const place of places) if (await isFile(place.file)) return place;
  return shippedRoster;
}

const isFile = (file: string): Promise<boolean> =>
  stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
