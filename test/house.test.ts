/** The house rules that a machine can check: who may import what, and that the docs lead somewhere. docs/architecture.md says why. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

const mayImport: Readonly<Record<string, readonly string[]>> = {
  platform: [],
  machines: [],
  bus: ['platform'],
  roster: ['platform'],
  actors: ['machines', 'bus', 'roster', 'platform'],
  cli: ['actors', 'machines', 'bus', 'roster', 'platform'],
};
/** Packages that belong to one folder. */
const owners: readonly (readonly [RegExp, string])[] = [
  [/^@nats-io\//, 'bus'],
  [/^(openai|node-llama-cpp)(\/|$)/, 'roster'],
  [/^commander$/, 'cli'],
];

interface Import {
  readonly from: string;
  readonly specifier: string;
  readonly typesOnly: boolean;
}
const folders = Object.keys(mayImport);
const imports: readonly Import[] = globSync(`{${folders.join(',')}}/**/*.ts`, { cwd: root }).flatMap((from) =>
  [...read(from).matchAll(/^\s*(?:import|export)\s+(type\s)?[^;'"]*?from '([^']+)'|\bimport\('([^']+)'\)/gm)].map(
    ([, type, named, lazy]) => ({ from, specifier: (named ?? lazy)!, typesOnly: type !== undefined }),
  ),
);
const folderOf = (path: string): string => path.split('/')[0]!;
const show = ({ from, specifier }: Import): string => `${from} imports ${specifier}`;

test('imports go one way: cli → actors → {machines, bus, roster} → platform', () => {
  expect(imports.length).toBeGreaterThan(300);
  const wrong = imports.filter((it) => {
    if (!it.specifier.startsWith('.')) return false;
    const from = folderOf(it.from);
    const to = folderOf(normalize(join(dirname(it.from), it.specifier)));
    const typesFromAnywhere = from === 'machines' && it.typesOnly;
    return to !== from && !mayImport[from]!.includes(to) && !typesFromAnywhere;
  });
  expect(wrong.map(show)).toEqual([]);
});

test('a package that belongs to one folder is imported there alone, and charts import xstate only', () => {
  const outside = imports.filter((it) => !it.specifier.startsWith('.'));
  const wrong = outside.filter((it) => {
    const folder = folderOf(it.from);
    if (folder === 'machines') return it.specifier !== 'xstate' && !it.typesOnly;
    return owners.some(([packages, owner]) => packages.test(it.specifier) && folder !== owner);
  });
  expect(wrong.map(show)).toEqual([]);
});

test('a file is named after its concept: no barrels, no utils', () => {
  const files = globSync(`{${folders.join(',')}}/**/*.ts`, { cwd: root });
  expect(files.filter((path) => /\/(index|utils?|helpers?|misc|common)\.ts$/.test(path))).toEqual([]);
});

test('every link in the docs leads to a file', () => {
  const pages = ['README.md', 'DISCLAIMER.md', ...globSync('docs/**/*.md', { cwd: root })];
  const lost = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)#\s]+)/g)]
      .map(([, target]) => target!)
      .filter((target) => !/^https?:/.test(target) && !existsSync(join(root, dirname(page), target)))
      .map((target) => `${page} → ${target}`),
  );
  expect(pages.length).toBeGreaterThan(10);
  expect(lost).toEqual([]);
});
