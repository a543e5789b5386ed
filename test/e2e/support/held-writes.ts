/** Writes of files that hang in the kernel, in a node that is started with this environment. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const preload = new URL('pipe-for-drafts.ts', import.meta.url);

/** @returns the pipe that the node gets as the draft of each file that it writes. A write hangs until the pipe has a reader. */
export function heldWrites(folder: string): { readonly pipe: string; readonly env: NodeJS.ProcessEnv } {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  return { pipe, env: { COX_TEST_PIPE: pipe, NODE_OPTIONS: `--import=${preload}` } };
}
