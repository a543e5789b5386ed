/** What can be seen of one task from outside of it: its model calls, its tool calls, and that something happened to it. */
import type { ModelCall } from '../../support/model-server.ts';

/** One run of a tool, which returns when the test says so. */
export interface ToolRun {
  /** The task, and the id by which it knows the call. */
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

/** Long past what any event takes, also on a crowded machine: whoever waits that long waits for nothing. */
const patienceMs = 120_000;

export class Bystander {
  readonly calls: ModelCall[] = [];
  readonly runs: ToolRun[] = [];
  /** Chunks that the task has told to whoever watches. */
  tokens = 0;
  results = 0;
  /** Calls and runs that came to an end, by the test's word or cut off, and those of a node that was lost. */
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

  /** The latest that still waits for its end. */
  get call(): ModelCall | undefined {
    return this.calls.findLast((call) => !this.#over.has(call));
  }
  get run(): ToolRun | undefined {
    return this.runs.findLast((run) => !this.#over.has(run));
  }

  /** The test has said its last word to it. */
  saidLastWordTo(effect: ModelCall | ToolRun): void {
    this.#over.add(effect);
  }

  /** Its worker is lost: what that had begun may still be running, and counts no more. */
  disown(): void {
    for (const effect of [...this.calls, ...this.runs]) this.#over.add(effect);
  }

  hasBegun(effect: 'think' | 'act'): boolean {
    return this.#seen.some((sight) => 'began' in sight && sight.began === effect);
  }
  hasEnded(effect: 'think' | 'act'): boolean {
    return this.#seen.some((sight) => 'ended' in sight && sight.ended === effect);
  }

  /** All that was seen since it was asked last. */
  take(): Sight[] {
    return this.#seen.splice(0);
  }

  /** Something happened: whoever waits looks again. */
  ring(): void {
    this.#bell.resolve();
    this.#bell = Promise.withResolvers();
  }

  /** @param what is told by the error when nothing happens any more; asked then. */
  async until(what: () => string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    for (;;) {
      const bell = this.#bell.promise;
      if (await isSo()) return;
      const { promise: gaveUp, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(() => reject(new Error(`it waited for nothing: ${what()}`)), patienceMs);
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
