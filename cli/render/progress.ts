/** A download as one line of text, for places where a progress bar does not fit: under a live tree, above a prompt. */
import type { Progress } from '../../platform/asset.ts';
import { sizeOf } from '../../platform/progress.ts';

export const progressLine = ({ asset, doneBytes, totalBytes, from }: Progress): string =>
  `fetching ${asset.name}: ${Math.floor((doneBytes / totalBytes) * 100)} % of ${sizeOf(totalBytes)} from ${from}`;

/** Passes on the first report of each download and then one for every further tenth. */
export function tenths(say: (line: string) => void): (progress: Progress) => void {
  const said = new Map<Progress['asset'], number>();
  return (progress) => {
    const tenth = Math.floor((progress.doneBytes / progress.totalBytes) * 10);
    if (said.get(progress.asset) === tenth) return;
    said.set(progress.asset, tenth);
    say(progressLine(progress));
  };
}
