/** The version of Coxswain from package.json, which is one folder up in a checkout and two folders up in the built package. */
import { readFileSync } from 'node:fs';

let known: string | null = null;

export function version(): string {
  known ??= read();
  return known;
}

function read(): string {
  for (const path of ['../package.json', '../../package.json'])
    try {
      return (JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string }).version;
    } catch {}
  return 'unknown';
}
