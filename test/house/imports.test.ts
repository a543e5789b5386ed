/**
 * The direction of imports by docs/architecture.md: `cli → actors → {machines, bus, roster}`; every folder may import `platform`,
 * and `machines` of it only the functions that cut a text.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allImports, cycles, type Folder, folderOf, type Import, importsOf, sourcesIn } from './imports.ts';

const root = join(import.meta.dirname, '../..');
const imports = allImports(root);
const lines = (found: readonly Import[]) => found.map(({ from, to }) => `${from} imports ${to}`);

const mayImport: Record<Folder, readonly string[]> = {
  platform: ['platform'],
  machines: ['machines'],
  bus: ['bus', 'platform'],
  roster: ['roster', 'platform'],
  actors: ['actors', 'machines', 'bus', 'roster', 'platform'],
  cli: ['cli', 'actors', 'machines', 'bus', 'roster', 'platform'],
};
const ownPackages: readonly { name: string; matches: (name: string) => boolean; folder: Folder }[] = [
  { name: 'NATS', matches: (name) => name.startsWith('@nats-io/') || name === 'nats', folder: 'bus' },
  { name: 'openai', matches: (name) => name === 'openai', folder: 'roster' },
  {
    name: 'the embedded model',
    matches: (name) => name === 'node-llama-cpp' || name.startsWith('@node-llama-cpp/'),
    folder: 'roster',
  },
];

describe('imports', () => {
  it.each(Object.entries(mayImport))('of %s go only to %j', (folder, allowed) => {
    const wrong = imports.filter(
      ({ from, to, isOurs }) =>
        isOurs &&
        folderOf(from) === folder &&
        !allowed.includes(folderOf(to)) &&
        !(folder === 'machines' && to === 'platform/cut.ts'),
    );
    expect(lines(wrong)).toEqual([]);
  });

  it.each(ownPackages)('of $name are made in $folder alone', ({ matches, folder }) => {
    expect(lines(imports.filter(({ from, to, isOurs }) => !isOurs && matches(to) && folderOf(from) !== folder))).toEqual([]);
  });

  it('of machines go to no package but xstate', () => {
    const wrong = imports.filter(({ from, to, isOurs }) => folderOf(from) === 'machines' && !isOurs && to !== 'xstate');
    expect(lines(wrong)).toEqual([]);
  });

  it('make no cycle between files, not even by types or lazy imports', () => {
    expect(cycles(imports)).toEqual([]);
  });

  it('carry the .ts ending', () => {
    expect(lines(imports.filter(({ to, isOurs }) => isOurs && !/\.[cm]?[jt]sx?$|\.json$/.test(to)))).toEqual([]);
  });

  it('of every form are found, and cycles too', () => {
    const source = [
      "import a, { b } from './a.ts';",
      "import type { C } from '../bus/c.ts';",
      'import {',
      '  type D,',
      "} from '@nats-io/kv/deep';",
      "export * from './e.ts';",
      "import './f.ts';",
      "const g = await import('openai');",
      "// import h from './h.ts';",
    ].join('\n');
    const found = importsOf('cli/x.ts', source).map(({ to, isType }) => `${to}${isType ? ' (type)' : ''}`);
    expect(found).toEqual(['cli/a.ts', 'bus/c.ts (type)', '@nats-io/kv (type)', 'cli/e.ts', 'cli/f.ts', 'openai']);
    const ring = (from: string, to: string): Import => ({ from, to, isOurs: true, isType: false, isLazy: false });
    expect(cycles([ring('a', 'b'), ring('b', 'c'), ring('c', 'b')])).toEqual(['b → c → b']);
  });
});

describe('files', () => {
  it('are named after one concept', () => {
    expect(sourcesIn(root).filter((file) => /(^|\/)(utils?|helpers?|common|misc)\.ts$/.test(file))).toEqual([]);
  });
});
