/** Asks each available backend of the roster, without a node: `cox menu --probe`. */
import type { Folders } from '../platform/folders.ts';
import type { Probe } from '../roster/probe.ts';
import type { Roster } from '../roster/schema.ts';
import type { Cli } from './cli.ts';

/** Every backend that was asked, by name. All are asked at once; an embedded one only if its model is on this machine. */
export async function probeAll(cli: Cli, folders: Folders, roster: Roster): Promise<Readonly<Record<string, Probe>>> {
  const [{ Backends }, { probe }, { openLog }] = await Promise.all([
    import('../roster/backends.ts'),
    import('../roster/probe.ts'),
    import('../platform/log.ts'),
  ]);
  const log = openLog({ folder: folders.state, verbose: cli.global.verbose, name: 'menu' });
  const backends = new Backends({ roster: () => roster, folders, log, onProgress: () => {}, env: cli.env });
  try {
    const asked = await Promise.all(
      backends.menu().map(async ({ name, available }): Promise<[string, Probe][]> => {
        if (!available || !(await isHere(roster, name, folders))) return [];
        cli.out.note(`asking ${name} …`);
        return [[name, await probe(backends, name, cli.signal)]];
      }),
    );
    return Object.fromEntries(asked.flat());
  } finally {
    await backends.stop();
  }
}

async function isHere(roster: Roster, name: string, folders: Folders): Promise<boolean> {
  const backend = roster.backends[name];
  if (backend?.kind !== 'embedded') return true;
  const { modelFile } = await import('../roster/embedded/models.ts');
  return (await modelFile(backend.model, folders)).here;
}
