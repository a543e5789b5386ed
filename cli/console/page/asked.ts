/** Data of a page: loaded by a verb of the service, and loaded again after a reconnection and when the bus says that it changed. */

import { type Signal, signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { ask, fresh, listen } from './link.ts';

export interface Asked<T> {
  /** The last reply; null before the first one. */
  readonly data: Signal<T | null>;
  readonly error: Signal<string | null>;
  readonly again: () => void;
}

export interface AskedOptions {
  /** Subjects without the namespace whose messages say that the data has changed. */
  readonly subjects?: readonly string[];
  /** Whether a message of these subjects matters. Default: each does. */
  readonly matters?: (message: unknown, subject: string) => boolean;
  /** Load again this often, in ms, for data that no message announces. */
  readonly everyMs?: number;
}

/** A load that failed is tried again after this time, in ms. */
const retryMs = 3_000;
/** Changes that come close together are one load; in ms. */
const gatherMs = 250;

/** @param name tells when `load` means something else: a change of it loads anew. */
export function useAsked<T>(name: string, load: () => Promise<T>, options: AskedOptions = {}): Asked<T> {
  const source = useMemo(() => asked(load, options), [name]);
  useEffect(() => source.start(), [source]);
  return source;
}

/** The reply of one node to a verb: `useVerb<MenuReply>('menu')`. */
export const useVerb = <T>(verb: string, request: object = {}, options: AskedOptions = {}): Asked<T> =>
  useAsked<T>(`${verb} ${JSON.stringify(request)}`, () => ask<T>(verb, request), options);

function asked<T>(load: () => Promise<T>, { subjects = [], matters = () => true, everyMs }: AskedOptions) {
  const data = signal<T | null>(null);
  const error = signal<string | null>(null);
  let timer: ReturnType<typeof setTimeout> | null = null;
  let loading = false;
  let wanted = false;
  let stopped = false;
  const again = () => {
    wanted = true;
    timer ??= setTimeout(run, data.peek() === null ? 0 : gatherMs);
  };
  const run = async () => {
    timer = null;
    if (loading || stopped) return;
    loading = true;
    wanted = false;
    try {
      data.value = await load();
      error.value = null;
    } catch (cause) {
      error.value = cause instanceof Error ? cause.message : String(cause);
      if (!stopped) timer ??= setTimeout(run, retryMs);
    }
    loading = false;
    if (wanted && !stopped) again();
  };
  const start = () => {
    stopped = false;
    const stops = [
      fresh.subscribe(again),
      ...subjects.map((subject) => listen(subject, (message, at) => void (matters(message, at) && again()))),
    ];
    const interval = everyMs === undefined ? undefined : setInterval(again, everyMs);
    return () => {
      stopped = true;
      clearInterval(interval);
      if (timer) clearTimeout(timer);
      timer = null;
      for (const stop of stops) stop();
    };
  };
  return { data, error, again, start };
}
