import { describe, expect, it } from 'vitest';
import type { Result } from '../../../bus/messages.ts';
import { plain } from '../../../cli/render/paint.ts';
import { endLine, salvageLines } from '../../../cli/render/result.ts';

const usage = { inputTokens: 0, outputTokens: 0, costUsd: 0 };
const cancelled = (type: string, findings: string[], remaining: string | null = null): Result => ({
  ...{
    id: 'k3xq.0',
    type,
    outcome: 'cancelled',
    output: null,
    failure: null,
    usage,
    usageByBackend: {},
    at: '2026-01-01T00:00:00.000Z',
  },
  salvage: { findings, remaining, artifacts: [], steps: 2 },
});
const lines = (result: Result) => salvageLines(result, plain).slice(1);

describe('salvage', () => {
  it('lists each finding and each sub-task that is left on a line of its own', () => {
    expect(lines(cancelled('supervisor', ['a: found\na', 'b: found b'], 'c: Do c\nd: Do d'))).toEqual([
      ...['  found so far:', '  - a: found a', '  - b: found b'],
      ...['  left to do:', '  - c: Do c', '  - d: Do d'],
    ]);
  });

  it('groups the sub-tasks of a goal that say the same', () => {
    const keys = Array.from({ length: 9 }, (_, n) => `q${n}`);
    expect(lines(cancelled('supervisor', [...keys.map((key) => `${key}: nothing yet`), 'z: the end']))).toEqual([
      '  found so far:',
      '  - q0, q1, q2, q3, q4, q5 and 3 more: nothing yet',
      '  - z: the end',
    ]);
    // A sub-agent's findings are its own words.
    expect(lines(cancelled('files', ['a: same', 'b: same']))).toEqual(['  found so far:', '  - a: same', '  - b: same']);
  });

  it('says how much it does not show', () => {
    const left = Array.from({ length: 60 }, (_, n) => `q${n}: Do ${n}`).join('\n');
    const shown = lines(cancelled('supervisor', ['x'.repeat(2_400)], left));
    expect(shown[0]).toBe(`  found so far: ${'x'.repeat(400)} … (2,000 more characters)`);
    expect(shown.at(-2)).toBe('  - q19: Do 19');
    expect(shown.at(-1)).toBe('  and 40 more: cox result k3xq.0 --json has all');
  });

  it('says nothing of findings where there are none', () => {
    expect(lines(cancelled('files', [], 'Read it'))).toEqual(['  left to do: Read it']);
  });
});

describe('the end in a line', () => {
  const completed = (effects: Result['effects']): Result => ({
    ...{ ...cancelled('files', []), outcome: 'completed', output: 'I have written it.' },
    ...(effects && { effects }),
  });
  const call = { call: 's1-0', tool: 'write_file', target: 'a.txt', step: 1 };

  it('has a tick only where all that was tried was done', () => {
    const done = { ...call, outcome: 'done', kind: 'changed', added: 2, removed: 1 } as const;
    expect(endLine(completed([done]), plain)).toBe('✓ k3xq.0 · wrote a.txt (+2 −1): I have written it.');
    expect(endLine(completed([{ ...call, outcome: 'denied' }]), plain)).toMatch(/^! k3xq\.0 · denied: write_file a\.txt/);
    expect(endLine(completed([]), plain)).toMatch(/^✓ k3xq\.0 · changed nothing/);
    expect(endLine(completed(undefined), plain)).toBe('✓ k3xq.0: I have written it.');
  });
});
