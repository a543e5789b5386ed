/** The text for Prometheus, read back by a parser of its format. */
import { expect, test } from 'vitest';
import { exposition, promName } from '../../../actors/tracing/exposition.ts';
import { Figures } from '../../../actors/tracing/figures.ts';
import { figure } from '../../../actors/tracing/gen-ai.ts';
import { parseExposition } from '../../support/exposition.ts';

const report = {
  ...{ name: 'n', host: 'h', pid: 1, version: '1', since: '2026-01-01T00:00:00Z', types: [], slots: 8, draining: false },
  ...{ held: 2, tasks: [] },
};
const textOf = (figures: Figures) => exposition(figures, report, []);

test('a counter has its unit in its name and ends in _total; a histogram has cumulative buckets, a sum and a count', () => {
  const figures = new Figures();
  figures.add(figure.cost, 0.25, { 'cox.backend': 'main' });
  figures.add(figure.cost, 0.5, { 'cox.backend': 'main' });
  for (const value of [0.005, 0.03, 1_000]) figures.add(figure.tool, value, { 'gen_ai.tool.name': 'look' });
  const { samples, types } = parseExposition(textOf(figures));
  expect(types).toMatchObject({
    cox_cost_usd_total: 'counter',
    gen_ai_execute_tool_duration_seconds: 'histogram',
    cox_tasks_held: 'gauge',
  });
  const value = (name: string, labels: Record<string, string> = {}) =>
    samples.find((it) => it.name === name && Object.entries(labels).every(([key, wanted]) => it.labels[key] === wanted))?.value;
  expect(value('cox_cost_usd_total', { cox_backend: 'main' })).toBe(0.75);
  expect(value('cox_tasks_held')).toBe(2);
  const name = 'gen_ai_execute_tool_duration_seconds';
  expect(value(`${name}_bucket`, { le: '0.01' })).toBe(1);
  expect(value(`${name}_bucket`, { le: '0.04' })).toBe(2);
  expect(value(`${name}_bucket`, { le: '81.92' })).toBe(2);
  expect(value(`${name}_bucket`, { le: '+Inf' })).toBe(3);
  expect([value(`${name}_count`), value(`${name}_sum`)]).toEqual([3, 1_000.035]);
});

test('every name fits the format, and those with a unit end with it', () => {
  const names = Object.values(figure).map(promName);
  for (const name of names) expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
  expect(new Set(names).size).toBe(names.length);
  for (const it of Object.values(figure).filter(({ unit }) => unit === 's')) expect(promName(it)).toMatch(/_seconds$/);
});

test('hostile names of backends stay within their label', () => {
  const figures = new Figures();
  const hostile = 'a"} 1\ncox_tasks_total{x="\\';
  figures.add(figure.cost, 1, { 'cox.backend': hostile });
  const { samples } = parseExposition(textOf(figures));
  expect(samples.filter(({ name }) => name === 'cox_cost_usd_total')).toEqual([
    { name: 'cox_cost_usd_total', labels: { cox_backend: hostile }, value: 1 },
  ]);
  expect(samples.some(({ name }) => name === 'cox_tasks_total')).toBe(false);
});

test('no caller fills the memory with series: what is above the limit is counted together', () => {
  const figures = new Figures();
  for (let i = 0; i < 5_000; i++) figures.add(figure.cost, 1, { 'cox.backend': `b${i}` });
  const all = figures.of(figure.cost);
  expect(all.length).toBeLessThanOrEqual(1_001);
  expect(all.reduce((sum, series) => sum + series.sum, 0)).toBe(5_000);
});
