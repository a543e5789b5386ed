/**
 * Publishes what happens in the machines that this node hosts, for those who listen (docs/adr/0040).
 * - Nobody listens: no machine is observed, nothing is made or sent. A task that begins costs one look whether anybody is there.
 * - Somebody listens: at most `perSecond` messages a second, each bounded, without secrets. Beyond that, events are left out and
 *   counted, and of each state only the latest is sent (bus/inspect/sampler.ts).
 */
import type { InspectionEvent } from 'xstate';
import type { Bus } from '../../bus/bus.ts';
import type { Inspected, InspectedSnapshot } from '../../bus/inspect/inspection-messages.ts';
import { Listeners } from '../../bus/inspect/listeners.ts';
import { Sampler } from '../../bus/inspect/sampler.ts';
import { shownJson } from '../../platform/shown-json.ts';
import type { TaskHost } from '../host/task-host.ts';

const perSecond = 200;
const burst = 400;
/** A model’s tokens come many times a second; of each task one in this many ms is told. */
const tokenMs = 250;
const limits = { textChars: 600, entries: 16, totalChars: 8_000 } as const;

/** A message without what every message has. */
type Told = Inspected extends infer Each
  ? Each extends Inspected
    ? Omit<Each, 'task' | 'at' | 'node' | 'epoch' | 'seq'>
    : never
  : never;

interface Watched {
  readonly host: TaskHost;
  stop: () => void;
  seq: number;
  tokenAt: number;
  /** Whether the last token is told. */
  tellsToken: boolean;
}

export class Inspection {
  readonly #bus: Bus;
  readonly #node: string;
  readonly #hosts = new Set<TaskHost>();
  readonly #watched = new Map<TaskHost, Watched>();
  readonly #listeners: Listeners;
  readonly #sampler: Sampler<{ readonly watched: Watched; readonly told: Told }>;

  constructor(bus: Bus, node: string) {
    this.#bus = bus;
    this.#node = node;
    this.#sampler = new Sampler({
      perSecond,
      burst,
      send: ({ watched, told }, skipped) => this.#publish(watched, told, skipped),
    });
    this.#listeners = new Listeners(bus, {
      onChange: () => this.#look(),
      onListener: (wants) => {
        for (const watched of this.#watched.values()) if (wants(watched.host.id)) this.#present(watched);
      },
    });
  }

  hosted(host: TaskHost): void {
    this.#hosts.add(host);
    if (this.#listeners.isAnybodyThere && this.#listeners.wants(host.id)) this.#present(this.#watch(host));
  }

  left(host: TaskHost): void {
    this.#hosts.delete(host);
    this.#unwatch(host);
  }

  stop(): void {
    this.#listeners.stop();
    for (const host of [...this.#watched.keys()]) this.#unwatch(host);
    this.#sampler.stop();
  }

  #look(): void {
    for (const host of this.#hosts)
      if (!this.#listeners.wants(host.id)) this.#unwatch(host);
      else if (!this.#watched.has(host)) this.#watch(host);
    if (!this.#listeners.isAnybodyThere) this.#sampler.stop();
  }

  #watch(host: TaskHost): Watched {
    const watched: Watched = { host, stop: () => {}, seq: 0, tokenAt: 0, tellsToken: false };
    watched.stop = host.inspect((event) => {
      try {
        this.#hear(watched, event);
      } catch (err) {
        // The machine would take it for an error of its own.
        this.#bus.log.warn({ err, task: host.id }, 'an event of a machine could not be told');
      }
    });
    this.#watched.set(host, watched);
    return watched;
  }

  #unwatch(host: TaskHost): void {
    this.#watched.get(host)?.stop();
    this.#watched.delete(host);
  }

  /** The machine as it is now, for a listener who has just come. */
  #present(watched: Watched): void {
    const { host } = watched;
    const { snapshot } = host.watched;
    const tell = (): Told => ({ type: '@xstate.actor', ...chartOf(host), snapshot: shownSnapshot(snapshot) });
    this.#sampler.offer(host.id, 'actor', () => ({ watched, told: tell() }));
  }

  #hear(watched: Watched, event: InspectionEvent): void {
    const { host } = watched;
    const actor = nameOf(event.actorRef);
    const key = actor === undefined ? host.id : `${host.id}/${actor}`;
    if ('event' in event && event.event.type === 'MODEL_SAID' && !tellsToken(watched, event.type)) {
      this.#sampler.skip(key);
      return;
    }
    const of = actor === undefined ? {} : { actor };
    if (event.type === '@xstate.actor') {
      // Its snapshot cannot be read before it has begun; the first one follows.
      const told: Told = { type: event.type, ...(actor === undefined ? chartOf(host) : of), snapshot: { status: 'active' } };
      this.#sampler.offer(key, 'actor', () => ({ watched, told }));
    }
    if (event.type === '@xstate.event') {
      const source = event.sourceRef && nameOf(event.sourceRef);
      const told = (): Told => ({
        type: event.type,
        ...of,
        ...(source !== undefined && { source }),
        event: shownEvent(event.event),
      });
      this.#sampler.offer(key, 'event', () => ({ watched, told: told() }));
    }
    if (event.type === '@xstate.snapshot') {
      const told = (): Told => ({
        type: event.type,
        ...of,
        event: shownEvent(event.event),
        snapshot: shownSnapshot(event.snapshot),
      });
      this.#sampler.offer(key, 'snapshot', () => ({ watched, told: told() }));
    }
  }

  #publish(watched: Watched, told: Told, skipped: number): void {
    const { nc, subjects, now } = this.#bus;
    if (nc.isClosed() || nc.isDraining()) return;
    const { host } = watched;
    const place = { task: host.id, at: now().toISOString(), node: this.#node, epoch: host.epoch(), seq: ++watched.seq };
    const message: Inspected = { ...told, ...place, ...(skipped > 0 && { skipped }) };
    nc.publish(subjects.inspected(host.id), JSON.stringify(message));
  }
}

/** The state that follows a token is told if the token is. */
function tellsToken(watched: Watched, type: InspectionEvent['type']): boolean {
  if (type !== '@xstate.event') return watched.tellsToken;
  const now = performance.now();
  watched.tellsToken = now - watched.tokenAt >= tokenMs;
  if (watched.tellsToken) watched.tokenAt = now;
  return watched.tellsToken;
}

const chartOf = ({ watched: { machine } }: TaskHost) => ({ machine: machine.id, version: machine.version });

/** The name of an effect; undefined for the machine itself. */
function nameOf(ref: object): string | undefined {
  const { id, _parent } = ref as { readonly id?: string; readonly _parent?: unknown };
  return _parent ? id : undefined;
}

const shownEvent = (event: object): { type: string } => shownJson(event, limits) as { type: string };

/** Of a machine its state, of an effect what it has become. Children, methods and the chart stay here. */
function shownSnapshot(snapshot: unknown): InspectedSnapshot {
  const { status = 'active', value, context, output, error } = (snapshot ?? {}) as Readonly<Record<string, unknown>>;
  const there = Object.entries({ value, context, output, error }).filter(([, part]) => part !== undefined);
  return { ...(shownJson(Object.fromEntries(there), limits) as object), status: status as 'active' };
}
