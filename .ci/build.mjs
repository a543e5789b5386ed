/** `npm run build`: the package as plain JavaScript with declarations, in dist/. Node 22 and later runs it as it is. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, globSync, rmSync } from 'node:fs';

const sources = '{machines,actors,bus,roster,cli,platform}';

rmSync('dist', { recursive: true, force: true });
try {
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
} catch {
  process.exit(1); // tsc has said why
}
// What is read at run time and is no module.
for (const asset of globSync(`${sources}/**/*.{yaml,json,html,css,txt,md}`)) cpSync(asset, `dist/${asset}`);
chmodSync('dist/cli/main.js', 0o755);
