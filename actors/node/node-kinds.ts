/** The kinds of a node with all their tools, and what the tools need. Nothing of it starts before its first use. */
import { KeptStates } from '../../bus/artifacts/kept-state.ts';
import { Memory } from '../../bus/shared-memory.ts';
import type { Progress } from '../../platform/asset.ts';
import type { Roster } from '../../roster/schema.ts';
import type { Kind } from '../kinds/kind.ts';
import { Kinds } from '../kinds/kinds.ts';
import { browserTools } from '../tools/browser/browser-tools.ts';
import { Browsers } from '../tools/browser/browsers.ts';
import { keptPages } from '../tools/browser/kept-page.ts';
import { memoryTools } from '../tools/memory.ts';
import { Reader } from '../tools/vision/reader.ts';
import { visionTools } from '../tools/vision/vision-tools.ts';
import { livePolicy } from '../tools/web/web-policy.ts';
import { webTools } from '../tools/web/web-tools.ts';
import type { CrewSession } from './join.ts';

export interface NodeKindsOptions {
  readonly joined: CrewSession;
  readonly roster: () => Roster;
  /** Kinds defined in code. */
  readonly defined: readonly Kind[];
  readonly maxContexts: number;
  readonly onProgress: (progress: Progress) => void;
}

export function nodeKinds({ joined, roster, defined, maxContexts, onProgress }: NodeKindsOptions) {
  const { bus, folders, log, env } = joined;
  const policy = livePolicy(() => roster().web);
  const browsers = new Browsers({
    folders,
    env,
    log,
    kept: keptPages(new KeptStates(bus, 'browser')),
    openProxy: async () => {
      const { openGuardedProxy } = await import('../tools/web/guarded-proxy.ts');
      return openGuardedProxy(policy);
    },
    maxContexts,
    onProgress,
  });
  const reader = new Reader({ folders, log, onProgress, env });
  const web = webTools({ policy });
  const kinds = new Kinds(roster, defined, [
    ...memoryTools(new Memory(bus)),
    ...visionTools(reader),
    ...web.tools,
    ...browserTools({ pages: browsers, policy }),
  ]);
  return { kinds, browsers, reader, web };
}
