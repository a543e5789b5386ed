import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { files } from './charts.ts';

const folder = join(import.meta.dirname, '../../docs/diagrams');
const fresh = await files();

describe('docs/diagrams', () => {
  it.each(Object.entries(fresh))('%s shows the chart as it is (else run `node .ci/write-diagrams.mjs`)', (name, text) => {
    expect(readFileSync(join(folder, name), 'utf8')).toBe(text);
  });

  it('shows no chart that is gone', () => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(fresh).sort());
  });
});
