/** Shows a download: on a terminal as a bar that stays on one line, elsewhere as a plain line every 10 %. */

import type { Progress } from './asset.ts';
import { beginningOf } from './cut.ts';

export interface ProgressBar {
  /** Needs no `this`, so it can be passed as a callback. */
  readonly onProgress: (progress: Progress) => void;
  /** Ends the line of the bar if it is open. Idempotent. */
  end(): void;
}

const barColumns = 24;
const redrawEveryMs = 100;

/** A size as text (`1.1 GB`), in powers of 1000 as on download sites and disks. */
export function sizeOf(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`;
}

export function progressBar(stream: NodeJS.WriteStream): ProgressBar {
  /** For each asset the last tenth that was printed. The model and nats-server may be downloaded at the same time. */
  const tenths = new Map<Progress['asset'], number>();
  let from = '';
  let drawnAt = 0;
  let lineOpen = false;

  const end = (): void => {
    if (lineOpen) stream.write('\n');
    lineOpen = false;
  };

  /** Prints name and size before the first byte arrives. */
  const announce = (progress: Progress): void => {
    end();
    const resumed = progress.doneBytes > 0 ? `, ${sizeOf(progress.doneBytes)} of it already here` : '';
    stream.write(`Fetching ${progress.asset.name}, ${sizeOf(progress.totalBytes)}${resumed}\n`);
  };

  const draw = ({ doneBytes, totalBytes, from }: Progress): void => {
    const share = Math.min(1, doneBytes / totalBytes);
    const filled = Math.round(share * barColumns);
    const bar = '#'.repeat(filled).padEnd(barColumns, '.');
    const line = `  [${bar}] ${String(Math.floor(share * 100)).padStart(3)} %  ${sizeOf(doneBytes)}  from ${from}`;
    stream.write(`\r\x1b[K${beginningOf(line, Math.max(20, (stream.columns || 80) - 1))}`);
    lineOpen = true;
  };

  const onProgress = (progress: Progress): void => {
    const done = progress.doneBytes >= progress.totalBytes;
    const reached = Math.floor((progress.doneBytes / progress.totalBytes) * 10);
    const said = tenths.get(progress.asset);
    if (said === undefined) announce(progress);
    if (said === undefined || reached > said) tenths.set(progress.asset, reached);
    if (stream.isTTY) {
      const now = Date.now();
      if (!done && from === progress.from && now - drawnAt < redrawEveryMs) return;
      drawnAt = now;
      from = progress.from;
      draw(progress);
      if (done) end();
      return;
    }
    if (said === undefined || reached <= said) return;
    stream.write(`  ${reached * 10} % of ${progress.asset.name} (${sizeOf(progress.doneBytes)} from ${progress.from})\n`);
  };

  return { onProgress, end };
}
