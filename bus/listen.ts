/** Listens to core-NATS messages. All listeners of a connection to one subject share one subscription. */
import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core';

type Hear = (message: Msg) => void;
interface Shared {
  readonly subscription: Subscription;
  readonly listeners: Set<Hear>;
}
const shared = new WeakMap<NatsConnection, Map<string, Shared>>();

export interface Listening {
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
  stop(): void;
}

export function listen(nc: NatsConnection, subject: string, hear: Hear): Listening {
  const ofConnection = shared.get(nc) ?? new Map<string, Shared>();
  shared.set(nc, ofConnection);
  const there = ofConnection.get(subject) ?? subscribed(nc, subject);
  ofConnection.set(subject, there);
  // Each call is a listener of its own, also if it brings a function that another one has brought.
  const listener: Hear = (message) => hear(message);
  there.listeners.add(listener);
  return {
    closed: there.subscription.closed.then(() => {}),
    stop: () => {
      there.listeners.delete(listener);
      if (there.listeners.size > 0 || ofConnection.get(subject) !== there) return;
      ofConnection.delete(subject);
      there.subscription.unsubscribe();
    },
  };
}

function subscribed(nc: NatsConnection, subject: string): Shared {
  const listeners = new Set<Hear>();
  const callback = (err: Error | null, message: Msg) => {
    if (!err) for (const hear of [...listeners]) hear(message);
  };
  return { listeners, subscription: nc.subscribe(subject, { callback }) };
}
