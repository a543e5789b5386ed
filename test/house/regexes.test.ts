/** Models, files, servers and strangers choose texts, so no pattern may need more than a time linear in the length of the text. */
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { analyse } from 'scslre';
import { expect, test } from 'vitest';
import { parseAst } from 'vitest/node';
import { sourcesIn } from './imports.ts';

const root = join(import.meta.dirname, '../..');

interface Pattern {
  readonly source: string;
  readonly flags: string;
  readonly line: number;
}

/** The literals of a file in TypeScript; Node does not strip the types of one with JSX. */
function patternsIn(file: string, code: string): Pattern[] {
  const found: Pattern[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if ('regex' in node && 'start' in node) {
      const { pattern, flags } = node.regex as { pattern: string; flags: string };
      found.push({ source: pattern, flags, line: code.slice(0, node.start as number).split('\n').length });
    }
    for (const part of Object.values(node)) visit(part);
  };
  visit(file.endsWith('.tsx') ? parseAst(code, { lang: 'tsx' }) : parseAst(stripTypeScriptTypes(code)));
  return found;
}

test('every pattern takes time linear in the text', () => {
  const slow: string[] = [];
  let count = 0;
  for (const file of sourcesIn(root)) {
    for (const { source, flags, line } of patternsIn(file, readFileSync(join(root, file), 'utf8'))) {
      count++;
      const { reports } = analyse({ source, flags });
      if (reports.length > 0) slow.push(`${file}:${line} /${source}/${flags}`);
    }
  }
  expect(slow).toEqual([]);
  expect(count).toBeGreaterThan(300);
});

test.each(['a.replace(/[.]+$/, "")', 'b = /^\\s*x?\\s*$/', 'c(/(a+)+b/)'])('a slow pattern is found: %s', (code) => {
  const [pattern] = patternsIn('a.ts', code);
  expect(analyse(pattern!).reports).not.toEqual([]);
});
