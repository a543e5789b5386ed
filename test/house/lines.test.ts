/** Lines fit on a screen: the formatter keeps code to 130 columns, and this keeps comments to them. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { filesBelow, read } from './citations.ts';
import { folders } from './imports.ts';

const root = join(import.meta.dirname, '../..');
const maxColumns = 132;

it('a line of a comment is at most 132 columns wide', () => {
  const wide = filesBelow(root, [...folders, 'test']).flatMap((file) =>
    read(root, file)
      .split('\n')
      .flatMap((line, i) => (line.length > maxColumns && /^\s*(\/\/|\/\*|\*)/.test(line) ? [`${file}:${i + 1}`] : [])),
  );
  expect(wide).toEqual([]);
});
