/**
 * Finds the roster: `--roster`, else COX_ROSTER, `./roster.yaml`, the one in the config folder, the one shipped with Coxswain.
 */
import type { Folders } from '../platform/folders.ts';
import type { Log } from '../platform/log.ts';
import type { RosterSource } from '../roster/find-roster.ts';
import type { LiveRoster } from '../roster/live-roster.ts';
import type { Cli } from './cli.ts';

/**
 * Loads the roster and follows its file until `stop()`. An invalid edit is reported by `note`, and the old roster stays in use.
 */
export async function openRoster(cli: Cli, folders: Folders, log: Log, note: (text: string) => void): Promise<LiveRoster> {
  const { openRoster: open } = await import('../roster/live-roster.ts');
  return open({
    ...find(cli, folders),
    log,
    onChange: () => note('The roster has changed and is in use.'),
    onBroken: (error) => note(`The new roster is invalid, so the old one stays in use: ${error.message}`),
  });
}

/** The roster file that a node would use here. */
export async function rosterSource(cli: Cli, folders: Folders): Promise<RosterSource> {
  const { findRoster } = await import('../roster/find-roster.ts');
  return findRoster(find(cli, folders));
}

/** Reads the roster once. Returns its source and its content. */
export async function readRoster(cli: Cli, folders: Folders) {
  const [{ findRoster }, { loadRoster }] = await Promise.all([import('../roster/find-roster.ts'), import('../roster/load.ts')]);
  const source = await findRoster(find(cli, folders));
  return { source, roster: await loadRoster(source.file) };
}

const find = (cli: Cli, folders: Folders) => ({
  env: cli.env,
  cwd: cli.cwd,
  folders,
  ...(cli.global.roster === null ? {} : { path: cli.global.roster }),
});
