/**
 * Figures in the text format of Prometheus, version 0.0.4. Names follow its rules: the unit ends the name, and a counter ends in
 * `_total`.
 */
import type { NodeReport } from '../../bus/messages.ts';
import type { MenuEntry } from '../../roster/menu.ts';
import type { Attributes, Figures } from './figures.ts';
import { figure, type Instrument } from './gen-ai.ts';

export const expositionType = 'text/plain; version=0.0.4; charset=utf-8';

interface Gauge {
  readonly name: string;
  readonly about: string;
  readonly values: readonly { readonly labels: Attributes; readonly value: number }[];
}

/** The figures of a node, and how it stands now. */
export function exposition(figures: Figures, report: NodeReport, menu: readonly MenuEntry[]): string {
  const lines = [...Object.values(figure).flatMap((it) => inText(it, figures)), ...gauges(report, menu).flatMap(gaugeInText)];
  return `${lines.join('\n')}\n`;
}

const units: Readonly<Record<string, string>> = { s: '_seconds', USD: '_usd', '{token}': '' };

/** `cox.queue.time` in seconds is `cox_queue_time_seconds`. */
export const promName = ({ name, kind, unit }: Instrument): string =>
  `${name.replace(/[^a-zA-Z0-9_]/g, '_')}${units[unit] ?? ''}${kind === 'counter' ? '_total' : ''}`;

function inText(instrument: Instrument, figures: Figures): string[] {
  const name = promName(instrument);
  const all = figures.of(instrument);
  const head = [`# HELP ${name} ${escapedHelp(instrument.about)}`, `# TYPE ${name} ${instrument.kind}`];
  if (all.length === 0) return [];
  const { buckets: limits } = instrument;
  if (!limits) return [...head, ...all.map(({ attributes, sum }) => `${name}${labels(attributes)} ${number(sum)}`)];
  return [
    ...head,
    ...all.flatMap(({ attributes, sum, count, buckets }) => {
      let below = 0;
      const steps = [...limits.map(number), '+Inf'].map((le, i) => {
        below += buckets[i]!;
        return `${name}_bucket${labels({ ...attributes, le })} ${below}`;
      });
      return [...steps, `${name}_sum${labels(attributes)} ${number(sum)}`, `${name}_count${labels(attributes)} ${count}`];
    }),
  ];
}

function gauges(report: NodeReport, menu: readonly MenuEntry[]): Gauge[] {
  const one = (value: number) => [{ labels: {}, value }];
  const each = (of: (entry: MenuEntry) => number) => menu.map((entry) => ({ labels: { backend: entry.name }, value: of(entry) }));
  return [
    { name: 'cox_tasks_held', about: 'Tasks that the node holds now.', values: one(report.held) },
    { name: 'cox_slots', about: 'The most tasks of one type that run at once.', values: one(report.slots) },
    { name: 'cox_draining', about: 'Whether the node takes no more tasks.', values: one(report.draining ? 1 : 0) },
    { name: 'cox_backend_available', about: 'Whether the backend may be called.', values: each((it) => (it.available ? 1 : 0)) },
    { name: 'cox_backend_calls', about: 'Model calls that run now.', values: each((it) => it.inUse) },
    { name: 'cox_backend_calls_waiting', about: 'Model calls that wait for their turn.', values: each((it) => it.inLine) },
  ];
}

const gaugeInText = ({ name, about, values }: Gauge): string[] =>
  values.length === 0
    ? []
    : [
        `# HELP ${name} ${about}`,
        `# TYPE ${name} gauge`,
        ...values.map(({ labels: given, value }) => `${name}${labels(given)} ${number(value)}`),
      ];

const number = (value: number): string => (Number.isFinite(value) ? String(value) : '0');

const escapedHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

/** Names of backends and kinds are those of a roster that somebody else may have written. */
const escaped = (value: string): string => value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

function labels(attributes: Attributes): string {
  const pairs = Object.entries(attributes).map(
    ([name, value]) => `${name.replace(/[^a-zA-Z0-9_]/g, '_')}="${escaped(String(value))}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
