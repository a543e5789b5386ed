import { expect, test } from 'vitest';
import { CostQuery, summed } from '../../../bus/costs/costs.ts';
import { costsOf } from '../../../bus/costs/tree-costs.ts';
import type { Usage } from '../../../bus/messages.ts';

const used = (inputTokens: number, costUsd: number, estimatedUsd?: number): Usage => ({
  ...{ inputTokens, outputTokens: 0, costUsd },
  ...(estimatedUsd && { estimatedUsd }),
});
const record = (id: string, type: string, usageByBackend: Record<string, Usage>, at = '2026-11-27T23:59:00.000Z') =>
  ({ id, spec: { type }, createdAt: at, instruction: `of ${id}`, last: { at }, result: { usageByBackend } }) as never;

test('the own usage of a supervisor is what its sub-tasks have not used, at every level', () => {
  const costs = costsOf('k3xq', [
    record('k3xq.0', 'supervisor', { big: used(10, 1), small: used(70, 0.7, 0.2) }),
    record('k3xq.1', 'supervisor', { small: used(50, 0.5, 0.2) }),
    record('k3xq.1-1', 'files', { small: used(40, 0.4, 0.2) }, '2026-11-28T00:01:00.000Z'),
    record('k3xq.2', 'files', { small: used(20, 0.2) }),
  ]);
  expect(costs?.goal).toBe('of k3xq.0');
  const lines = costs!.lines.map(({ day, backend, kind, inputTokens, estimatedUsd }) => [
    day.slice(8),
    backend,
    kind,
    inputTokens,
    estimatedUsd,
  ]);
  expect(lines).toEqual([
    ['27', 'big', 'supervisor', 10, undefined],
    ['27', 'small', 'supervisor', 10, undefined],
    ['28', 'small', 'files', 40, 0.2],
    ['27', 'small', 'files', 20, undefined],
  ]);
  expect(costs!.lines.reduce((sum, { costUsd }) => sum + costUsd, 0)).toBeCloseTo(1.7);
});

test('a supervisor that was told less than its sub-tasks have used costs nothing itself, never less', () => {
  const costs = costsOf('k3xq', [record('k3xq.0', 'supervisor', {}), record('k3xq.1', 'files', { small: used(5, 0.1) })]);
  expect(costs?.lines).toMatchObject([{ kind: 'files', inputTokens: 5 }]);
  expect(costsOf('k3xq', [record('k3xq.0', 'supervisor', {})])).toBeNull();
});

test('a sub-task that has ended counts once while its supervisor still runs, whatever their backends', () => {
  const live = (id: string, type: string, last: object) =>
    ({ id, spec: { type }, createdAt: '2026-11-27T10:00:00.000Z', instruction: '', last, result: null }) as never;
  const at = '2026-11-27T10:00:00.000Z';
  const costs = costsOf('k3xq', [
    live('k3xq.0', 'supervisor', { at, backend: null, usage: used(103, 1.5) }),
    record('k3xq.1', 'files', { small: used(60, 0.5), big: used(40, 0.5) }, at),
    live('k3xq.2', 'files', { at, backend: 'small', usage: used(20, 0.25) }),
  ]);
  expect(costs?.lines.map(({ backend, kind, inputTokens, costUsd }) => [backend, kind, inputTokens, costUsd])).toEqual([
    ['unknown', 'supervisor', 3, 0.5],
    ['small', 'files', 80, 0.75],
    ['big', 'files', 40, 0.5],
  ]);
});

const line = (day: string, backend: string, costUsd: number) => ({
  day,
  backend,
  kind: 'files',
  inputTokens: 1e6,
  outputTokens: 0,
  costUsd,
});
const trees = [
  { root: 'aaaa', goal: 'one', lines: [line('2026-11-01', 'x', 1), line('2026-11-02', 'y', 5)] },
  { root: 'bbbb', goal: 'two', lines: [line('2026-11-02', 'x', 2)] },
];

test('rows are by cost, or in the order of days; the total is of all rows, also of those that are not shown', () => {
  const ask = (query: object) => summed(trees, CostQuery.parse(query));
  expect(ask({}).rows.map(({ backend, costUsd }) => [backend, costUsd])).toEqual([
    ['y', 5],
    ['x', 3],
  ]);
  expect(ask({ by: ['day', 'backend'] }).rows.map(({ day, backend }) => `${day!.slice(8)}${backend}`)).toEqual([
    '01x',
    '02y',
    '02x',
  ]);
  expect(ask({ by: ['goal'], limit: 1 })).toMatchObject({ rows: [{ root: 'aaaa', costUsd: 6 }], more: 1, total: { costUsd: 8 } });
  expect(ask({ since: '2026-11-02T18:00:00Z' }).total.costUsd).toBe(7);
});

test('what was saved is the price of the same tokens at the reference, less what was paid', () => {
  const { rows, total } = summed(trees, CostQuery.parse({ reference: { input: 4, output: 10 } }));
  expect(rows).toMatchObject([
    { backend: 'y', referenceUsd: 4, savedUsd: -1 },
    { backend: 'x', referenceUsd: 8, savedUsd: 5 },
  ]);
  expect(total).toMatchObject({ referenceUsd: 12, savedUsd: 4 });
});
