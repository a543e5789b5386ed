/** A download in one line, for where a bar of its own has no room: under a live tree, above a prompt. */
import type { Progress } from '../../platform/asset.ts';
import { sizeOf } from '../../platform/progress.ts';

export const progressLine = ({ asset, doneBytes, totalBytes, from }: Progress): string =>
  `fetching ${asset.name}: ${Math.floor((doneBytes / totalBytes) * 100)} % of ${sizeOf(totalBytes)} from ${from}`;

/** Hands on the first, every tenth and the last: enough for a reader, little enough to scroll by. */
export function tenths(say: (line: string) => void): (progress: Progress) => void {
  const said = new Map<string, number>();
  return (progress) => {
    const tenth = Math.floor((progress.doneBytes / progress.totalBytes) * 10);
    if (said.get(progress.asset.file) === tenth) return;
    said.set(progress.asset.file, tenth);
    say(progressLine(progress));
  };
}
