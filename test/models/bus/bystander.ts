/** All that can be seen of one task from outside: its model calls, its tool calls, and that something has happened. */
import type { ToolOutput, ToolPreview } from '../../../actors/tools/tool.ts';
import type { ModelCall } from '../../support/model-server.ts';

/** One run of a tool, which returns when the test says so. */
export interface ToolRun {
  /** The task’s id, and its own id of the call. */
  readonly task: string;
  readonly call: string;
  readonly tool: string;
  readonly args: unknown;
  readonly signal: AbortSignal;
  returns(text: string, more?: Pick<ToolOutput, 'changes' | 'sources'>): void;
  fails(message: string): void;
  /** Its target is not what the operator was shown. */
  isOutdated(): void;
  /** It ended, and nobody knows whether it took effect. */
  isInDoubt(): void;
}
/** A tool that says what a call would change, when the test lets it. */
export interface PreviewRun {
  readonly call: string;
  readonly signal: AbortSignal;
  shows(preview: ToolPreview): void;
  refuses(message: string): void;
}
type Kind = 'think' | 'act' | 'preview';
type Deed = ModelCall | ToolRun | PreviewRun;

export type Sight =
  | { readonly began: 'think'; readonly call: ModelCall }
  | { readonly began: 'act'; readonly run: ToolRun }
  | { readonly began: 'preview'; readonly run: PreviewRun }
  | { readonly ended: Kind };

/** Longer than any event takes, even on a busy machine. */
const patienceMs = 120_000;

export class Bystander {
  readonly calls: ModelCall[] = [];
  readonly runs: ToolRun[] = [];
  readonly previews: PreviewRun[] = [];
  /** Tokens of the task on its live subject. */
  tokens = 0;
  results = 0;
  /** Calls and runs that have ended, by the test’s word or cut off, and those of a lost node. */
  readonly #over = new Set<Deed>();
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

  looks(run: PreviewRun): void {
    this.previews.push(run);
    this.#see({ began: 'preview', run });
    run.signal.addEventListener('abort', () => this.#cutOff(run, 'preview'));
  }

  /** The latest one that has not ended. */
  get call(): ModelCall | undefined {
    return this.calls.findLast((call) => !this.#over.has(call));
  }
  get run(): ToolRun | undefined {
    return this.runs.findLast((run) => !this.#over.has(run));
  }

  get preview(): PreviewRun | undefined {
    return this.previews.findLast((run) => !this.#over.has(run));
  }

  /** Marks an effect to which the test has said its last word. */
  saidLastWordTo(effect: Deed): void {
    this.#over.add(effect);
  }

  /** Forgets the effects of a lost worker: they may still run, and count no more. */
  disown(): void {
    for (const effect of [...this.calls, ...this.runs, ...this.previews]) this.#over.add(effect);
  }

  hasBegun(effect: Kind): boolean {
    return this.#seen.some((sight) => 'began' in sight && sight.began === effect);
  }
  hasEnded(effect: Kind): boolean {
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

  #cutOff(effect: Deed, kind: Kind): void {
    if (this.#over.has(effect)) return;
    this.#over.add(effect);
    this.#see({ ended: kind });
  }

  #see(sight: Sight): void {
    this.#seen.push(sight);
    this.ring();
  }
}
