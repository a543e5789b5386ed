/** A text is cut by platform/cut.ts, between two characters as a reader sees them. `slice` cuts an emoji in half. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sourcesIn } from './imports.ts';

const root = join(import.meta.dirname, '../..');
const cuts = /\.(?:slice|substring|substr)\((?:0, [^()]*(?:[cC]hars|longest|columns)|-\w*[cC]hars)/;
/** `width.ts` cuts in this way only text of which each letter has one column. */
const exempt = ['platform/cut.ts', 'cli/render/width.ts'];

it('no source file cuts a text with slice', () => {
  const found = sourcesIn(root).flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, at) => (cuts.test(line) ? [`${file}:${at + 1}: ${line.trim()}`] : [])),
  );
  expect(found.filter((place) => !exempt.some((file) => place.startsWith(file)))).toEqual([]);
});
