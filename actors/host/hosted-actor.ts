/** The machine of one hosted task: it is started or restored, watched for changes that need a commit, and stopped. */
import { type AnyEventObject, type AnyMachineSnapshot, createActor, type InspectionEvent } from 'xstate';
import type { StateRecord } from '../../bus/state/state-record.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import { provideEffects } from './effect.ts';
import type { HostedSnapshot, Role } from './role.ts';

export interface HostedActorOptions {
  readonly now: () => Date;
  readonly log: Log;
  /** Called when the machine has changed in a way that needs a commit. */
  readonly onChange: () => void;
}

export class HostedActor {
  readonly #options: HostedActorOptions;
  readonly #actor: ReturnType<typeof createActor>;
  readonly #restored: boolean;
  #crash: string | null = null;
  #lastTransitionAt: string | undefined;

  constructor(role: Role, { snapshot }: StateRecord, options: HostedActorOptions) {
    this.#options = options;
    this.#restored = snapshot !== null;
    const from = snapshot ? { snapshot: { ...snapshot, children: {} } } : { input: role.input };
    this.#actor = createActor(role.logic, from as never);
    provideEffects(this.#actor, role.effects);
  }

  get snapshot(): HostedSnapshot {
    return this.#actor.getSnapshot() as unknown as HostedSnapshot;
  }
  /** Why the machine itself failed; null if it has not failed. */
  get crash(): string | null {
    return this.#crash;
  }
  /** Whether the machine still takes events. XState prints a warning for an event to a machine that has ended. */
  get isActive(): boolean {
    return this.#crash === null && this.snapshot.status === 'active';
  }
  get lastTransitionAt(): string | undefined {
    return this.#lastTransitionAt;
  }
  /**
   * The snapshot that a machine is restored from. XState's own persisted snapshot would include the children, which are effects
   * and start anew, and would search the context for actors, though the context is plain JSON.
   */
  get checkpoint(): Record<string, unknown> {
    const { status, value, context, historyValue, output, error } = this.#actor.getSnapshot() as AnyMachineSnapshot;
    return { status, output, error, value, historyValue, context };
  }

  start(seen: string | null = null): void {
    let before: HostedSnapshot | null = null;
    this.#actor.subscribe({
      next: () => {
        const now = this.snapshot;
        const moved = !before || hasMoved(before, now);
        if (moved || before?.context.step !== now.context.step) this.#lastTransitionAt = this.#options.now().toISOString();
        if (!before || moved || hasGained(before, now)) this.#options.onChange();
        before = now;
      },
      error: (cause) => {
        this.#crash = messageOf(cause);
        this.#options.log.error({ err: cause }, 'the machine failed');
        this.#options.onChange();
      },
    });
    this.#actor.start();
    if (this.#restored && this.isActive) this.send({ type: 'RESTORED', ...(seen !== null && { seen }) });
  }

  send(event: AnyEventObject): void {
    this.#actor.send(event as never);
  }

  /** Tells a watcher of each event of the machine and its effects. @returns a function that ends it. */
  inspect(observer: (event: InspectionEvent) => void): () => void {
    const subscription = this.#actor.system.inspect(observer);
    return () => subscription.unsubscribe();
  }

  stop(): void {
    this.#actor.stop();
  }
}

/** Whether the machine is in another state. */
const hasMoved = (before: HostedSnapshot, now: HostedSnapshot): boolean =>
  before.value !== now.value && JSON.stringify(before.value) !== JSON.stringify(now.value);

/**
 * Whether the context has changed apart from `partial`. Tokens come many times a second, so their text waits for the next commit.
 */
function hasGained(before: HostedSnapshot, now: HostedSnapshot): boolean {
  const a: object = before.context;
  const b: object = now.context;
  return Object.keys(b).some((key) => key !== 'partial' && a[key as never] !== b[key as never]);
}
