/**
 * Around `npm pack`: the lock goes along as npm-shrinkwrap.json, so that whoever installs the package gets what was tested, and without
 * llama.cpp's GPU builds (overrides of a dependency are ignored by npm; what its shrinkwrap says is not). docs/adr/0005-lean-install.md.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';

const file = 'npm-shrinkwrap.json';
if (process.argv[2] === 'remove') rmSync(file, { force: true });
else {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  lock.packages = Object.fromEntries(Object.entries(lock.packages).filter(([, entry]) => !entry.dev));
  delete lock.packages[''].devDependencies;
  for (const entry of Object.values(lock.packages)) if (entry.devOptional) delete entry.devOptional;
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
}
