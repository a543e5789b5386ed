/** Runs after `npm ci` in a checkout. Removes the C headers of the `node` package: 67 MB that no dependency compiles against. */
import { readdirSync, rmSync } from 'node:fs';

const builds = 'node_modules/node/node_modules';
let found = [];
try {
  found = readdirSync(builds);
} catch {
  /* The install had no development dependencies. */
}
for (const build of found)
  for (const part of ['include', 'share']) rmSync(`${builds}/${build}/${part}`, { recursive: true, force: true });
