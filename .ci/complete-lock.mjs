/**
 * `npm install` leaves an optional platform build out of the lock file if its registry does not serve that build, and `npm ci`
 * then rejects the lock file on every machine. This script adds the missing entries (name, exact version, platform; without
 * integrity), so that a machine of that platform still gets its build. It also narrows the builds that claim processors on which
 * they do not run (llama.cpp's ARM builds install on x64 too, for cross-compiling). Run it after every change of dependencies:
 * `npm run lock`.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const file = 'package-lock.json';
const lock = JSON.parse(readFileSync(file, 'utf8'));
const overrides = JSON.parse(readFileSync('package.json', 'utf8')).overrides ?? {};
const words = {
  linux: 'linux',
  darwin: 'darwin',
  mac: 'darwin',
  win: 'win32',
  win32: 'win32',
  windows: 'win32',
  android: 'android',
  freebsd: 'freebsd',
  netbsd: 'netbsd',
  openbsd: 'openbsd',
  sunos: 'sunos',
  aix: 'aix',
  openharmony: 'openharmony',
  wasm32: 'wasm',
  wasi: 'wasm',
};
const cpus = ['x64', 'arm64', 'arm', 'armv7l', 'ia32', 'riscv64', 'ppc64', 's390x', 'loong64', 'mips64el', 'wasm32'];

for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries({ ...entry.optionalDependencies })) {
    const at = [`${path}/node_modules/${name}`, `node_modules/${name}`].find((key) => lock.packages[key]);
    if (at || path === '') continue;
    const alias = overrides[path.replace(/^.*node_modules\//, '')]?.[name]?.match(/^npm:(.+)@([^@]+)$/);
    const [real, version] = alias ? alias.slice(1) : [name, range.replace(/^[\^~=]/, '')];
    if (!/^\d+\.\d+\.\d+/.test(version)) throw new Error(`${name}: ${range} is not an exact version`);
    const tokens = real.split(/[/-]/);
    const os = tokens.map((token) => words[token]).find(Boolean);
    const cpu = cpus.filter((name) => tokens.includes(name));
    if (!os) {
      console.error(`left alone: ${name} (no platform in its name)`);
      continue;
    }
    const libc = tokens.includes('musl') ? ['musl'] : tokens.includes('gnu') ? ['glibc'] : undefined;
    lock.packages[`node_modules/${name}`] = {
      ...(real !== name && { name: real }),
      version,
      ...(cpu.length && { cpu }),
      ...(entry.dev && { dev: true }),
      ...(entry.devOptional && { devOptional: true }),
      ...(libc && { libc }),
      optional: true,
      os: [os],
    };
    console.error(`added ${name}@${version} (${os} ${cpu})`);
  }
}
for (const [path, entry] of Object.entries(lock.packages)) {
  const own = path.match(/@node-llama-cpp\/linux-(arm64|armv7l)$/)?.[1];
  if (own) entry.cpu = [own === 'arm64' ? 'arm64' : 'arm'];
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
