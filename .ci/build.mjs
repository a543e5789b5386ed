/** `npm run build`: writes the package to dist/ as JavaScript with type declarations, which Node 22 and later run. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, globSync, rmSync, writeFileSync } from 'node:fs';
import { bundlePage } from '../cli/console/bundle-page.ts';

const sources = '{machines,actors,bus,roster,cli,platform}';

rmSync('dist', { recursive: true, force: true });
try {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
} catch {
  process.exit(1); // tsc has printed the errors
}
// Files that are read at run time but are not modules.
for (const asset of globSync(`${sources}/**/*.{yaml,json,html,css,svg,txt,md}`))
  if (!asset.endsWith('tsconfig.json')) cpSync(asset, `dist/${asset}`);
// The package has no bundler.
for (const { name, code } of await bundlePage()) writeFileSync(`dist/cli/console/page/${name}`, code);
chmodSync('dist/cli/main.js', 0o755);
