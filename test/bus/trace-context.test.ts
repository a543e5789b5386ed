import { expect, test } from 'vitest';
import { contextOfMessages, isSampled, parseTraceparent, spanOf, traceIdOf, traceparentOf } from '../../bus/trace-context.ts';

test('the ids of a tree are the same on every node, and differ between trees, namespaces, tasks and steps', () => {
  expect(spanOf('cox', 'k3xq.4')).toEqual(spanOf('cox', 'k3xq.4'));
  expect(traceIdOf('cox', 'k3xq.4')).toBe(traceIdOf('cox', 'k3xq.0'));
  expect(traceIdOf('cox', 'k3xq.4')).not.toBe(traceIdOf('cox', 'k3xr.4'));
  expect(traceIdOf('cox', 'k3xq.4')).not.toBe(traceIdOf('other', 'k3xq.4'));
  const ids = [
    spanOf('cox', 'k3xq.4'),
    spanOf('cox', 'k3xq.5'),
    spanOf('cox', 'k3xq.4', 'step', 1, 1),
    spanOf('cox', 'k3xq.4', 'step', 11),
  ];
  expect(new Set(ids.map(({ spanId }) => spanId)).size).toBe(4);
});

test('a ratio keeps about that share of the traces, and a larger one keeps those of a smaller one too', () => {
  const ids = Array.from({ length: 4_000 }, (_, i) => traceIdOf('cox', `t${String(i).padStart(5, '0')}.0`));
  const kept = (ratio: number) => ids.filter((id) => isSampled(id, ratio));
  expect(kept(0)).toEqual([]);
  expect(kept(1).length).toBe(4_000);
  expect(Math.abs(kept(0.25).length - 1_000)).toBeLessThan(150);
  expect(kept(0.25).every((id) => isSampled(id, 0.5))).toBe(true);
});

test('a context reads as it was written; a malformed one is none', () => {
  const span = spanOf('cox', 'k3xq.0');
  expect(parseTraceparent(traceparentOf(span, true))).toEqual(span);
  const [trace, id] = ['a'.repeat(32), 'b'.repeat(16)];
  expect(parseTraceparent(`01-${trace}-${id}-01-more`)).toEqual({ traceId: trace, spanId: id });
  for (const bad of [
    undefined,
    '',
    'x',
    `ff-${trace}-${id}-01`,
    `00-${'0'.repeat(32)}-${id}-01`,
    `00-${trace}-${'0'.repeat(16)}-01`,
    `00-${trace.toUpperCase()}-${id}-01`,
    `00-${trace}-${id}-01-${'x'.repeat(300)}`,
  ])
    expect(parseTraceparent(bad)).toBeNull();
});

test('messages carry the context of the process where it is a part of another trace, and none where nothing is traced', () => {
  const traced = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' };
  expect(contextOfMessages('cox', {})).toEqual({});
  expect(contextOfMessages('cox', { ...traced, OTEL_TRACES_EXPORTER: 'none' })).toEqual({});
  expect(contextOfMessages('cox', traced).traceparent!('k3xq.0')).toBe(traceparentOf(spanOf('cox', 'k3xq.0'), true));
  const TRACEPARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  expect(contextOfMessages('cox', { ...traced, TRACEPARENT }).traceparent!('k3xq.0')).toBe(TRACEPARENT);
  expect(contextOfMessages('cox', { ...traced, TRACEPARENT: 'x\r\ny' }).traceparent!('k3xq.0')).not.toContain('x');
});
