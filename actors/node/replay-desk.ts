/**
 * For a process that hosts no tasks: builds the requests of steps again, by the kinds and the roster of this machine, and can send
 * one of them once more.
 */
import { Artifacts } from '../../bus/artifacts/artifacts.ts';
import type { Rebuild } from '../../bus/journal/journal.ts';
import { Backends } from '../../roster/backends.ts';
import type { Roster } from '../../roster/schema.ts';
import type { Kind } from '../kinds/kind.ts';
import { Pictures } from '../sub-agent/pictures.ts';
import type { RebuildOptions } from '../sub-agent/rebuild.ts';
import type { CrewSession } from './join.ts';
import { nodeKinds } from './node-kinds.ts';
import { rebuilder } from './rebuild.ts';
import { workspaceOf } from './task-workspace.ts';

export interface ReplayDesk {
  readonly options: RebuildOptions;
  readonly backends: Backends;
  readonly rebuild: Rebuild;
  close(): Promise<void>;
}

/**
 * @param workspace absolute folder of tasks that name none.
 * @param defined kinds that are defined in code.
 */
export function openReplayDesk(
  joined: CrewSession,
  roster: Roster,
  workspace: string,
  defined: readonly Kind[] = [],
): ReplayDesk {
  const { bus, folders, log, env, server } = joined;
  const onProgress = () => {};
  const current = () => roster;
  const { kinds, browsers, reader, web } = nodeKinds({ joined, roster: current, defined, maxContexts: 1, onProgress });
  const backends = new Backends({ roster: current, folders, log, onProgress, env });
  const options: RebuildOptions = {
    kinds,
    backends,
    pictures: new Pictures(new Artifacts(bus), reader),
    folderOf: (asked) => workspaceOf(asked, workspace, server.embedded).folder,
  };
  return {
    options,
    backends,
    rebuild: rebuilder(options, { bus, backends, kinds: () => kinds.list() }),
    close: async () => {
      await Promise.all([browsers.close(), backends.stop()]);
      await web.close();
    },
  };
}
