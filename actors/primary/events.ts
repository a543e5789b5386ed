/** The primary agent as its users see it: what it takes, and the events that it tells. */
import type { TalkLine } from '../../bus/messages.ts';
import type { TaskId } from '../../bus/task-id.ts';
import type { Line, Told } from '../../machines/primary-context.ts';

export type PrimaryEvent =
  /** The events of the chart: a line begins, is answered, or ends; `idle` when no line waits. */
  | Told
  /** A line waits for its turn; `ahead` lines are answered before it. */
  | { readonly type: 'queued'; readonly line: Line; readonly ahead: number }
  | { readonly type: 'dispatched'; readonly id: TaskId; readonly instruction: string }
  /** A line at another client: said, or answered. */
  | { readonly type: 'elsewhere'; readonly line: TalkLine }
  /** A line of an earlier session that was not answered. It is answered now. */
  | { readonly type: 'resumed'; readonly line: Line }
  | { readonly type: 'handed'; readonly line: Line }
  /** A line of an earlier session that was being answered and may have been acted on. It is not answered again. */
  | { readonly type: 'given-up'; readonly line: Line };

export interface SayOptions {
  /** The line passes the waiting ones and interrupts the answer under way. */
  readonly first?: boolean;
}

export interface Primary {
  /**
   * Takes a line of the operator at any moment and returns at once; the answer comes by `events`. Lines are answered one after
   * the other. Ignored after stop().
   */
  say(text: string, options?: SayOptions): void;
  /** Stops the answer under way and keeps the conversation; the next line is taken. @returns whether there was an answer. */
  interrupt(): boolean;
  /** The line that is being answered, and those that wait for their turn. */
  unanswered(): readonly Line[];
  /**
   * Takes up the talk of earlier sessions and other clients: what was said is known, lines whose client has left before they were
   * answered are answered here, and lines at other clients are told as events. Ends with the signal or with stop().
   */
  rejoin(signal: AbortSignal): Promise<void>;
  /** Whether it hears the talk: lines that others say to it by its name are answered. */
  readonly hearsTalk: boolean;
  /** The events from this call on, until the signal fires or stop() is called. Every caller gets all events. */
  events(signal: AbortSignal): AsyncIterable<PrimaryEvent>;
  /** Stops the primary. Tasks that it dispatched go on. Idempotent. */
  stop(): Promise<void>;
}
