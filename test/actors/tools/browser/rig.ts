/** Browsers as nodes have them: a real Chromium behind the guarded proxy, with what they keep on a real server. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pino } from 'pino';
import { Browsers, type BrowsersOptions } from '../../../../actors/tools/browser/browsers.ts';
import { keptPages } from '../../../../actors/tools/browser/kept-page.ts';
import { openGuardedProxy } from '../../../../actors/tools/web/guarded-proxy.ts';
import { webPolicy } from '../../../../actors/tools/web/web-policy.ts';
import { KeptStates } from '../../../../bus/artifacts/kept-state.ts';
import type { Bus } from '../../../../bus/bus.ts';
import { foldersOf } from '../../../../platform/folders.ts';
import { rulesOf } from '../web/names.ts';

export interface RigOptions extends Partial<BrowsersOptions> {
  readonly bus: Bus;
  /** Folder for the state of this node. */
  readonly folder: string;
  /** Lines of `web.open`. */
  readonly open: readonly string[];
}

export const browsersOf = ({ bus, folder, open, ...options }: RigOptions): Browsers =>
  new Browsers({
    folders: { ...foldersOf(process.env), state: folder },
    env: process.env,
    log: pino({ level: 'silent' }),
    kept: keptPages(new KeptStates(bus, 'browser')),
    openProxy: () => openGuardedProxy(() => webPolicy(rulesOf({ open: [...open] }))),
    ...options,
  });

/** The main processes of the browsers that were started in this folder. */
export function browserProcesses(folder: string): number[] {
  return running()
    .filter(({ args }) => args.includes(join(folder, 'browsers')))
    .map(({ pid }) => pid);
}

/** A main process and all that it has started. */
export const withChildren = (main: number): number[] => running().flatMap(({ pid, group }) => (group === main ? [pid] : []));

/** Those of the processes that still run. */
export function alive(pids: readonly number[]): number[] {
  const now = new Set(running().map(({ pid }) => pid));
  return pids.filter((pid) => now.has(pid));
}

function running(): { pid: number; group: number; args: string }[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,pgid=,stat=,args='], { encoding: 'utf8', maxBuffer: 1e8 }).split('\n');
  return lines.flatMap((line) => {
    const [pid, group, state = 'Z', ...args] = line.trim().split(/\s+/);
    return state.startsWith('Z') ? [] : [{ pid: Number(pid), group: Number(group), args: args.join(' ') }];
  });
}

/** Resolves when it holds. The time limit of the test is the deadline. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
}
