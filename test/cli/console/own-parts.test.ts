/** The functions by which the pages task and roster compute before they draw, without a browser. */
import { expect, test } from 'vitest';
import { machineReport } from '../../../actors/inspect/machine-report.ts';
import { layOut } from '../../../cli/chart/layout.ts';
import { byDay, days } from '../../../cli/console/page/roster/cost-days.ts';
import { type Definition, pictureOf } from '../../../cli/console/page/task/chart-picture.ts';

test.each(['sub-agent', 'supervisor', 'primary'])(
  'every state of the chart %s has a place, and no two states share one',
  async (machine) => {
    const { definition } = await machineReport({ bus: null as never }, { machine });
    const { boxes, arrows } = await layOut(pictureOf(definition as unknown as Definition));
    const namesIn = (state: { states?: object }, path: string): string[] =>
      Object.entries(state.states ?? {}).flatMap(([key, child]) => [`${path}${key}`, ...namesIn(child, `${path}${key}.`)]);
    const drawn = boxes.filter(({ box: { tone } }) => tone !== 'start' && tone !== 'any').map(({ box }) => box.id);
    expect(drawn.toSorted()).toEqual(namesIn(definition, '').toSorted());
    const leaves = boxes.filter(({ box: { inside, tone } }) => inside.length === 0 && tone !== 'start');
    for (const a of leaves)
      for (const b of leaves)
        if (a !== b)
          expect(a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y).toBe(true);
    expect(arrows.every(({ points }) => points.length >= 2)).toBe(true);
  },
);

test('costs are columns of days, with the dearest backend first', () => {
  const row = (day: string, backend: string, costUsd: number) => ({ day, backend, costUsd, inputTokens: 1, outputTokens: 1 });
  const total = { costUsd: 7, inputTokens: 3, outputTokens: 3 };
  const rows = [row('2026-01-02', 'small', 1), row('2026-01-02', 'big', 2), row('2026-01-04', 'big', 4)];
  const { columns, backends, most } = byDay({ rows, total, more: 0 }, '2026-01-01T00:00:00.000Z');
  expect(columns).toHaveLength(days);
  expect(columns.filter(({ parts }) => parts.length > 0)).toEqual([
    {
      day: '2026-01-02',
      parts: [
        { backend: 'big', costUsd: 2 },
        { backend: 'small', costUsd: 1 },
      ],
    },
    { day: '2026-01-04', parts: [{ backend: 'big', costUsd: 4 }] },
  ]);
  expect([backends, most]).toEqual([['big', 'small'], 4]);
});
