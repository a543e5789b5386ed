/**
 * Code cites the rules of the task protocol by id and the promises by letter; both pages and the code agree on which there are.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type Citation,
  exists,
  filesBelow,
  promiseCitations,
  promisesOf,
  read,
  ruleCitations,
  rulesOf,
  testsNamedIn,
} from './citations.ts';
import { folders } from './imports.ts';

const root = join(import.meta.dirname, '../..');
const rules = rulesOf(read(root, 'docs/task-protocol.md'));
const promises = promisesOf(read(root, 'docs/architecture.md'));
const sources = filesBelow(root, folders);
const everything = [...sources, ...filesBelow(root, ['test'])].filter((file) => !file.startsWith('test/house/'));
const places = (found: readonly Citation[]) => found.map(({ file, line, name }) => `${file}:${line} cites ${name}`);
const citedIn = (files: readonly string[], find: typeof ruleCitations) => files.flatMap((file) => find(file, read(root, file)));

describe('rules of the task protocol', () => {
  it('that code or tests cite are on the page', () => {
    expect(places(citedIn(everything, ruleCitations).filter(({ name }) => !rules.has(name)))).toEqual([]);
  });

  it('on the page are each cited by the code that keeps them', () => {
    const cited = new Set(citedIn(sources, ruleCitations).map(({ name }) => name));
    expect([...rules.keys()].filter((id) => !cited.has(id))).toEqual([]);
  });

  it('on the page each name a test or say how they were tried, and the tests are there', () => {
    for (const [id, text] of rules) {
      expect(text, id).toMatch(/\*\*Shown by\*\*/);
      expect(
        testsNamedIn(text).filter((path) => !path.includes('*') && !exists(root, path)),
        id,
      ).toEqual([]);
    }
  });
});

describe('promises', () => {
  it('that code or tests cite are on the page', () => {
    expect(places(citedIn(everything, promiseCitations).filter(({ name }) => !promises.has(name)))).toEqual([]);
  });

  it('on the page are each cited by code', () => {
    const cited = new Set(citedIn(sources, promiseCitations).map(({ name }) => name));
    expect([...promises].filter((letter) => !cited.has(letter))).toEqual([]);
  });
});

it('no source cites a document that the repository does not have', () => {
  const strange = everything.filter((file) => /\bPROTOCOL\b(?!\s*[=:])|\bDESIGN\b|\(?\blines? \d+\)/.test(read(root, file)));
  expect(strange).toEqual([]);
});

it('finds what it looks for', () => {
  const source = [
    '/** A claim (G, A) by rules `claim` and `park`.',
    ' * B. Write-ahead.',
    ' */',
    "const a = 'rule `none` (Z)';",
  ].join('\n');
  expect(ruleCitations('x.ts', source).map(({ name }) => name)).toEqual(['claim', 'park']);
  expect(promiseCitations('x.ts', source).map(({ name }) => name)).toEqual(['G', 'A', 'B']);
  expect([...rulesOf('## Rules\n\n### `one`\n\ntext\n\n### `two-three`\n\nmore\n').keys()]).toEqual(['one', 'two-three']);
  expect([...promisesOf('## Promises\n\n- A. One.\n- B. Two.\n\n## Next\n\n- C. No.\n')]).toEqual(['A', 'B']);
  expect(rules.size).toBeGreaterThan(40);
  expect(promises.size).toBeGreaterThan(8);
});
