/** What can be seen of one task from outside of it: its model calls, its tool calls, and that something happened to it. */
import type { ModelCall } from '../../support/model-server.ts';

/** One run of a tool, which returns when the test says so. */
export interface ToolRun {
  /** The id by which the task knows the call. */
  readonly call: string;
  readonly tool: string;
  readonly args: unknown;
  returns(text: string): void;
  fails(message: string): void;
}

export type Sight =
  | { readonly began: 'think'; readonly call: ModelCall }
  | { readonly began: 'act'; readonly run: ToolRun }
  | { readonly ended: 'think' | 'act' };

/** Long past what any event takes, also on a crowded machine: whoever waits that long waits for nothing. */
const patienceMs = 90_000;

export class Bystander {
  /** The last that began, whether it still runs or not. */
  call: ModelCall | null = null;
  run: ToolRun | null = null;
  readonly runs: ToolRun[] = [];
  /** Chunks that the task has told to whoever watches. */
  tokens = 0;
  results = 0;
  #seen: Sight[] = [];
  #bell = Promise.withResolvers<void>();

  thinks(call: ModelCall): void {
    this.call = call;
    this.#see({ began: 'think', call });
    void call.closed.then((isCutOff) => isCutOff && this.call === call && this.#see({ ended: 'think' }));
  }

  acts(run: ToolRun, signal: AbortSignal): void {
    this.run = run;
    this.runs.push(run);
    this.#see({ began: 'act', run });
    signal.addEventListener('abort', () => this.run === run && this.#see({ ended: 'act' }));
  }

  /** Its worker is lost: what that had begun may still be running, and counts no more. */
  disown(): void {
    this.call = null;
    this.run = null;
  }

  has(what: 'began' | 'ended', effect: 'think' | 'act'): boolean {
    return this.#seen.some((sight) => (what in sight ? sight[what as keyof Sight] === effect : false));
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

  async until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    for (;;) {
      const bell = this.#bell.promise;
      if (await isSo()) return;
      const { promise: gaveUp, reject } = Promise.withResolvers<never>();
      const timer = setTimeout(() => reject(new Error(`it waited for nothing: ${what}`)), patienceMs);
      try {
        await Promise.race([bell, gaveUp]);
      } finally {
        clearTimeout(timer);
      }
    }
  }

  #see(sight: Sight): void {
    this.#seen.push(sight);
    this.ring();
  }
}
