/** A process that puts a link in the place of a folder and the folder back, without end. Arguments: the folder, the link. */
import { renameSync, rmSync } from 'node:fs';

const [folder, link] = process.argv.slice(2) as [string, string];
const aside = `${folder}.aside`;
process.stdin.on('end', () => process.exit()).resume();
process.stdout.write('swapping');

function move(from: string, to: string): void {
  for (;;)
    try {
      renameSync(from, to);
      return;
    } catch {
      giveWay(to);
    }
}
/** For what a tool has made in the gap between two moves. It may be writing there just now. */
function giveWay(made: string): void {
  try {
    rmSync(made, { recursive: true });
  } catch {}
}
function swap(): void {
  for (let n = 0; n < 50; n++) {
    move(folder, aside);
    move(link, folder);
    move(folder, link);
    move(aside, folder);
  }
  setImmediate(swap);
}
swap();
