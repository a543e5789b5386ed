/** Counters and histograms of one node, kept in memory. They need no package of OpenTelemetry. */
import type { Instrument } from './gen-ai.ts';

export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** One series: an instrument with one set of attributes. */
export interface Series {
  readonly attributes: Attributes;
  /** The sum of all values. */
  sum: number;
  count: number;
  /** For a histogram: the number of values in each bucket, the last one above all boundaries. */
  readonly buckets: number[];
}

/** The most series of an instrument. Further ones are counted together, so that no caller can fill the memory. */
const mostSeries = 1_000;
const others: Attributes = { 'otel.metric.overflow': true };

export class Figures {
  readonly #series = new Map<Instrument, Map<string, Series>>();
  readonly #listeners = new Set<(instrument: Instrument, value: number, attributes: Attributes) => void>();

  /** Adds to a counter, or records a value of a histogram. */
  add(instrument: Instrument, value: number, attributes: Attributes = {}): void {
    const series = this.#seriesOf(instrument, attributes);
    series.sum += value;
    series.count++;
    if (instrument.buckets) {
      const at = instrument.buckets.findIndex((limit) => value <= limit);
      series.buckets[at < 0 ? instrument.buckets.length : at]!++;
    }
    for (const listener of this.#listeners) listener(instrument, value, attributes);
  }

  /** Tells each later value to `listener`. */
  follow(listener: (instrument: Instrument, value: number, attributes: Attributes) => void): void {
    this.#listeners.add(listener);
  }

  of(instrument: Instrument): Series[] {
    return [...(this.#series.get(instrument)?.values() ?? [])];
  }

  #seriesOf(instrument: Instrument, attributes: Attributes): Series {
    const all = this.#series.get(instrument) ?? new Map<string, Series>();
    if (all.size === 0) this.#series.set(instrument, all);
    const key = JSON.stringify(attributes);
    const found = all.get(key);
    if (found) return found;
    if (all.size >= mostSeries && attributes !== others) return this.#seriesOf(instrument, others);
    const series = { attributes, sum: 0, count: 0, buckets: new Array((instrument.buckets?.length ?? -1) + 1).fill(0) };
    all.set(key, series);
    return series;
  }
}
