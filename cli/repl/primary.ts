/** Who the operator talks to at the prompt. */
import type { Crew } from '../../bus/crew.ts';
import type { TaskId } from '../../bus/task-id.ts';

export type PrimaryEvent =
  | { readonly type: 'token'; readonly text: string }
  | { readonly type: 'reply'; readonly text: string }
  | { readonly type: 'dispatched'; readonly id: TaskId; readonly instruction: string }
  | { readonly type: 'failed'; readonly error: { readonly code: string; readonly message: string } }
  /** Nothing is under way any more. */
  | { readonly type: 'idle' };

export interface Primary {
  /** Never waits: what comes of it is told by `events`. */
  say(text: string): void;
  /** Stops what is being said. Returns whether anything was. */
  interrupt(): boolean;
  events(signal: AbortSignal): AsyncIterable<PrimaryEvent>;
  stop(): Promise<void>;
}

/** The plainest primary: every text is a goal. */
export class GoalTaker implements Primary {
  readonly #crew: Crew;
  readonly #workspace: string | null;
  readonly #events: PrimaryEvent[] = [];
  #news = Promise.withResolvers<void>();

  constructor(crew: Crew, workspace: string | null) {
    this.#crew = crew;
    this.#workspace = workspace;
  }

  say(text: string): void {
    void this.#dispatch(text);
  }

  interrupt(): boolean {
    return false;
  }

  async *events(signal: AbortSignal): AsyncGenerator<PrimaryEvent> {
    const wake = () => this.#news.resolve();
    signal.addEventListener('abort', wake);
    try {
      while (!signal.aborted) {
        yield* this.#events.splice(0);
        await this.#news.promise;
        this.#news = Promise.withResolvers();
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  async stop(): Promise<void> {}

  async #dispatch(instruction: string): Promise<void> {
    try {
      const id = await this.#crew.dispatch({ type: 'supervisor', instruction, workspace: this.#workspace });
      this.#tell({ type: 'dispatched', id, instruction });
    } catch (error) {
      const { code, message } = error as Error & { code?: string };
      this.#tell({ type: 'failed', error: { code: code ?? 'internal', message } });
    }
    this.#tell({ type: 'idle' });
  }

  #tell(event: PrimaryEvent): void {
    this.#events.push(event);
    this.#news.resolve();
  }
}
