/**
 * Ids of traces and spans. They are derived from the ids of tasks, so that each node of a crew names the same span alike without
 * asking, and a task that moves to another node after a crash continues its trace (docs/adr/0042).
 */
import { hash } from 'node:crypto';
import { otelSettings } from '../platform/otel-env.ts';
import { rootOf, type TaskId } from './task-id.ts';

/** A span that others may be linked to or be a part of. */
export interface SpanRef {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits. */
  readonly spanId: string;
}

/** The header of W3C Trace Context, on tickets and steers. */
export const traceHeader = 'traceparent';

const hex = (text: string, digits: number): string => hash('sha256', text, 'hex').slice(0, digits);

/** The tree that was asked for last: its tasks come in a row. */
let known = { tree: '', traceId: '' };

/** A tree has one trace. @param namespace the first token of all subjects. */
export function traceIdOf(namespace: string, id: TaskId): string {
  const tree = `${namespace} ${rootOf(id)}`;
  if (known.tree !== tree) known = { tree, traceId: hex(`cox trace ${tree}`, 32) };
  return known.traceId;
}

/** The span of a task; with `parts`, of a part of it: a step of one claim, a steer. */
export const spanOf = (namespace: string, id: TaskId, ...parts: readonly (string | number)[]): SpanRef => ({
  traceId: traceIdOf(namespace, id),
  spanId: hex(`cox span ${namespace} ${id} ${JSON.stringify(parts)}`, 16),
});

/** Whether a trace is among the share that is kept, by the random last 56 bits of its id, as the W3C specification proposes. */
export const isSampled = (traceId: string, ratio: number): boolean =>
  ratio >= 1 || Number.parseInt(traceId.slice(-14), 16) >= (1 - ratio) * 2 ** 56;

export const traceparentOf = ({ traceId, spanId }: SpanRef, sampled: boolean): string =>
  `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;

const form = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?$/;

/** The span that such a header names; null for one that is malformed. */
export function parseTraceparent(header: string | undefined): SpanRef | null {
  const [, traceId, spanId] = (header && header.length <= 256 && form.exec(header)) || [];
  return traceId && spanId ? { traceId, spanId } : null;
}

export type Env = Readonly<Record<string, string | undefined>>;

/**
 * The context that messages carry, if tracing is configured: that of the process (TRACEPARENT) if it belongs to a trace of others,
 * else the span of the task.
 */
export function contextOfMessages(namespace: string, env: Env = {}): { traceparent?: (task: TaskId) => string } {
  const settings = otelSettings(env);
  if (!settings?.tracesUrl) return {};
  const given = parseTraceparent(env.TRACEPARENT) && env.TRACEPARENT;
  return {
    traceparent: (task) => given || traceparentOf(spanOf(namespace, task), isSampled(traceIdOf(namespace, task), settings.ratio)),
  };
}
