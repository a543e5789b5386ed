/**
 * The requests of listeners to a node. A listener announces itself on `cox.inspect.wanted` every few seconds; one that is killed
 * is forgotten when its last announcement runs out. While nobody listens a node has one quiet subscription and no timer.
 */
import type { Bus } from '../bus.ts';
import { parseMessage } from '../parse-message.ts';
import { isWithin, rootOf, type TaskId } from '../task-id.ts';
import { InspectionWanted } from './inspection-messages.ts';

/** Announcements of further listeners are dropped. A crew has a few people. */
export const mostListeners = 64;
const maxWantedBytes = 512;

export interface ListenersOptions {
  /** Called when tasks are wanted that were not, or not any more. */
  readonly onChange: () => void;
  /** Called for each new listener, or one that asks for other tasks than before. */
  readonly onListener: (wants: (id: TaskId) => boolean) => void;
}

export class Listeners {
  readonly #options: ListenersOptions;
  readonly #subscription: { unsubscribe(): void };
  /** By listener: the tasks that it asks for, and until when, by `performance.now()`. */
  readonly #wanted = new Map<string, { readonly of: string; readonly until: number }>();
  #expiry: NodeJS.Timeout | undefined;

  constructor({ nc, subjects }: Bus, options: ListenersOptions) {
    this.#options = options;
    this.#subscription = nc.subscribe(subjects.inspectionWanted(), {
      callback: (err, { data }) => {
        const wanted = err || data.length > maxWantedBytes ? null : parseMessage(InspectionWanted, data);
        if (wanted) this.#hear(wanted);
      },
    });
  }

  get isAnybodyThere(): boolean {
    return this.#wanted.size > 0;
  }

  wants(id: TaskId): boolean {
    for (const { of } of this.#wanted.values()) if (isOf(id, of)) return true;
    return false;
  }

  stop(): void {
    this.#subscription.unsubscribe();
    clearTimeout(this.#expiry);
    this.#wanted.clear();
  }

  #hear({ listener, of, forMs }: InspectionWanted): void {
    const before = this.#wanted.get(listener);
    if (forMs === 0) {
      if (!this.#wanted.delete(listener)) return;
      this.#expireLater();
      this.#options.onChange();
      return;
    }
    if (!before && this.#wanted.size >= mostListeners) return;
    this.#wanted.set(listener, { of, until: performance.now() + forMs });
    this.#expireLater();
    if (before?.of === of) return;
    this.#options.onChange();
    this.#options.onListener((id) => isOf(id, of));
  }

  #expireLater(): void {
    clearTimeout(this.#expiry);
    this.#expiry = undefined;
    if (this.#wanted.size === 0) return;
    const first = Math.min(...[...this.#wanted.values()].map(({ until }) => until));
    this.#expiry = setTimeout(() => this.#expire(), Math.max(0, first - performance.now()) + 1);
    this.#expiry.unref();
  }

  #expire(): void {
    const now = performance.now();
    const gone = [...this.#wanted].filter(([, { until }]) => until <= now);
    for (const [listener] of gone) this.#wanted.delete(listener);
    this.#expireLater();
    if (gone.length > 0) this.#options.onChange();
  }
}

/** Whether a listener that asks for `of` is told of the task. */
export const isOf = (id: TaskId, of: string): boolean => of === '*' || (of.includes('.') ? isWithin(id, of) : rootOf(id) === of);
