/** The docs lead somewhere. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const pages = [...globSync('*.md', { cwd: root }), ...globSync('docs/**/*.md', { cwd: root })];
const lostIn = (find: (page: string, text: string) => { target: string; file: string }[]): string[] =>
  pages.flatMap((page) =>
    find(page, readFileSync(join(root, page), 'utf8'))
      .filter(({ file }) => !existsSync(join(root, file)))
      .map(({ target }) => `${page} → ${target}`),
  );

test('every link and every picture in the docs leads to a file', () => {
  const lost = lostIn((page, text) =>
    [...text.matchAll(/\]\(([^)#\s]+)|\b(?:src|srcset)="([^"]+)"/g)]
      .map(([, link, picture]) => (link ?? picture)!)
      .filter((target) => !/^https?:/.test(target))
      .map((target) => ({ target, file: join(dirname(page), target) })),
  );
  expect(pages.length).toBeGreaterThan(15);
  expect(lost).toEqual([]);
});

test('every source file that the docs name is there', () => {
  const lost = lostIn((_, text) =>
    [...text.matchAll(/`((?:machines|bus|actors|roster|cli|platform|test)\/[\w./-]+\.ts)`/g)].map(([, file]) => ({
      target: file!,
      file: file!,
    })),
  );
  expect(lost).toEqual([]);
});
