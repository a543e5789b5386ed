/** All that can be seen of one task from outside: its model calls, its tool calls, and that something has happened. */
import type { ModelCall } from '../../support/model-server.ts';

/** One run of a tool, which returns when the test says so. */
export interface ToolRun {
  /** The task’s id, and its own id of the call. */
  readonly task: string;
  readonly call: string;
  readonly tool: string;
  readonly args: unknown;
  readonly signal: AbortSignal;
  returns(text: string): void;
  fails(message: string): void;
}

export type Sight =
  | { readonly began: 'think'; readonly call: ModelCall }
  | { readonly began: 'act'; readonly run: ToolRun }
  | { readonly ended: 'think' | 'act' };

/** Longer than any event takes, even on a busy machine. */
const patienceMs = 120_000;

export class Bystander {
  readonly calls: ModelCall[] = [];
  readonly runs: ToolRun[] = [];
  /** Tokens of the task on its live subject. */
  tokens = 0;
  results = 0;
  /** Calls and runs that have ended, by the test’s word or cut off, and those of a lost node. */
  readonly #over = new Set<ModelCall | ToolRun>();
  #seen: Sight[] = [];
  #bell = Promise.withResolvers<void>();

  thinks(call: ModelCall): void {
    this.calls.push(call);
    this.#see({ began: 'think', call });
    void call.closed.then(() => this.#cutOff(call, 'think'));
  }

  acts(run: ToolRun): void {
    this.runs.push(run);
    this.#see({ began: 'act', run });
    run.signal.addEventListener('abort', () => this.#cutOff(run, 'act'));
  }

  /** The latest one that has not ended. */
  get call(): ModelCall | undefined {
    return this.calls.findLast((call) => !this.#over.has(call));
  }
  get run(): ToolRun | undefined {
    return this.runs.findLast((run) => !this.#over.has(run));
  }

  /** Marks an effect to which the test has said its last word. */
  saidLastWordTo(effect: ModelCall | ToolRun): void {
    this.#over.add(effect);
  }

  /** Forgets the effects of a lost worker: they may still run, and count no more. */
  disown(): void {
    for (const effect of [...this.calls, ...this.runs]) this.#over.add(effect);
  }

  hasBegun(effect: 'think' | 'act'): boolean {
    return this.#seen.some((sight) => 'began' in sight && sight.began === effect);
  }
  hasEnded(effect: 'think' | 'act'): boolean {
    return this.#seen.some((sight) => 'ended' in sight && sight.ended === effect);
  }

  /** All sights since the last call. */
  take(): Sight[] {
    return this.#seen.splice(0);
  }

  /** Wakes all waiters, which look again. */
  ring(): void {
    this.#bell.resolve();
    this.#bell = Promise.withResolvers();
  }

  /** @param what Names the thing waited for in the error when nothing happens any more; asked only then. */
  async until(what: () => string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    for (;;) {
      const bell = this.#bell.promise;
      if (await isSo()) return;
      const { promise: gaveUp, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(
        () => reject(new Error(`nothing has happened for two minutes while waiting for: ${what()}`)),
        patienceMs,
      );
      try {
        await Promise.race([bell, gaveUp]);
      } finally {
        clearTimeout(timer);
      }
    }
  }

  #cutOff(effect: ModelCall | ToolRun, kind: 'think' | 'act'): void {
    if (this.#over.has(effect)) return;
    this.#over.add(effect);
    this.#see({ ended: kind });
  }

  #see(sight: Sight): void {
    this.#seen.push(sight);
    this.ring();
  }
}
