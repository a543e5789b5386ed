/** The imports of the house, read from its sources. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

export interface Import {
  readonly from: string;
  /** A file of the house, relative to its root, or the name of a package. */
  readonly to: string;
  readonly isOurs: boolean;
  /** A type-only import, which does not exist at run time. */
  readonly isType: boolean;
  /** `import('…')`: made when it is needed, long after both files are loaded. */
  readonly isLazy: boolean;
}

export const folders = ['machines', 'bus', 'roster', 'platform', 'actors', 'cli'] as const;
export type Folder = (typeof folders)[number];

export const folderOf = (file: string): string => file.slice(0, Math.max(0, file.indexOf('/')));

export const sourcesIn = (root: string): string[] =>
  folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.[cm]?tsx?$/.test(name))
      .map((name) => join(folder, name)),
  );

/** Finds `import … from`, `export … from`, `import '…'` and `import('…')`; ignores comments. */
export function importsOf(file: string, source: string): Import[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const statements = [...code.matchAll(/^\s*(?:import|export)\s(?<what>[^'";]*?\sfrom\s+)?['"](?<target>[^'"]+)['"]/gm)];
  const calls = [...code.matchAll(/\bimport\(\s*['"](?<target>[^'"]+)['"]\s*\)/g)];
  return [
    ...statements.map(({ groups }) => ({
      ...ends(file, groups!.target!),
      isType: isTypesOnly(groups!.what ?? ''),
      isLazy: false,
    })),
    ...calls.map(({ groups }) => ({ ...ends(file, groups!.target!), isType: false, isLazy: true })),
  ];
}
const ends = (from: string, target: string): Pick<Import, 'from' | 'to' | 'isOurs'> =>
  target.startsWith('.')
    ? { from, to: normalize(join(dirname(from), target)), isOurs: true }
    : { from, to: packageOf(target), isOurs: false };
/** `type { A }`, or `{ type A, type B }`. */
const isTypesOnly = (what: string): boolean => {
  if (/^\s*type\s/.test(what)) return true;
  const names = /^\s*\{(?<names>[^}]*)\}\s*from\s*$/
    .exec(what)
    ?.groups?.names?.split(',')
    .filter((name) => name.trim() !== '');
  return names !== undefined && names.length > 0 && names.every((name) => /^\s*type\s/.test(name));
};
const packageOf = (target: string): string =>
  target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');

export const allImports = (root: string): Import[] =>
  sourcesIn(root).flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8')));

/** Every cycle of imports, once. */
export function cycles(imports: readonly Import[]): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to, isOurs } of imports) if (isOurs) next.set(from, [...(next.get(from) ?? []), to]);
  const found = new Map<string, string>();
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]) => {
    const start = path.indexOf(file);
    if (start >= 0) {
      const cycle = path.slice(start);
      found.set([...cycle].sort().join(), [...cycle, file].join(' → '));
      return;
    }
    if (done.has(file)) return;
    for (const target of next.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return [...found.values()];
}
