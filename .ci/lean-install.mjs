/** After `npm ci` in a checkout: the C headers that come with the `node` package are 67 MB that nothing here compiles against. */
import { readdirSync, rmSync } from 'node:fs';

const builds = 'node_modules/node/node_modules';
let found = [];
try {
  found = readdirSync(builds);
} catch {
  /* installed without development dependencies */
}
for (const build of found)
  for (const part of ['include', 'share']) rmSync(`${builds}/${build}/${part}`, { recursive: true, force: true });
