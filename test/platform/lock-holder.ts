/**
 * A process that takes a lock. `count`: adds 1 to a number in a file, in separate reads and writes. `hold`: prints `held` and
 * keeps it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { withLock } from '../../platform/lock.ts';

const [mode, lock = '', file = '', times = '1'] = process.argv.slice(2);

if (mode === 'hold')
  await withLock(lock, () => {
    process.stdout.write('held\n');
    process.stdin.resume();
    return new Promise(() => {});
  });

for (let n = 0; n < Number(times); n += 1)
  await withLock(lock, async () => {
    const before = Number(readFileSync(file, 'utf8'));
    await new Promise(setImmediate);
    writeFileSync(file, String(before + 1));
  });
