/** What goes to a model and comes back, in the house's own terms. */

export interface RequestedCall {
  readonly id: string;
  readonly tool: string;
  /** As the model gave them, unchecked. Arguments that are no JSON stay the raw string, which no tool's schema accepts. */
  readonly args: unknown;
}
/** Accepts the messages of machines/conversation.ts as they are. */
export type ChatMessage =
  | { readonly role: 'system' | 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly text: string; readonly calls?: readonly RequestedCall[]; readonly unfinished?: true }
  | { readonly role: 'tool'; readonly call: string; readonly text: string };

export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: object;
}

export interface ModelRequest {
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly ToolSpec[];
  /** Default: auto. */
  readonly toolChoice?: 'auto' | 'none' | 'required';
  /** The reply shall be JSON that fits this JSON Schema. Not checked here: `Backends.ask` does. Not together with tools. */
  readonly schema?: { readonly name: string; readonly json: object };
  /** Tokens; the backend's `max_output` is the limit all the same. */
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  /** Somebody waits for the words: the call goes to the front of the backend's line. Default: false. */
  readonly isUrgent?: boolean;
}

/** As the backend counted; where it does not count, estimated from the length of the text. */
export interface ModelUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number;
  /** How much of the cost is no bill, but the worst case of a request of which none came. Left out for none. */
  readonly estimatedUsd?: number | undefined;
}
export function addUsage(a: ModelUsage, b: ModelUsage): ModelUsage {
  const estimatedUsd = (a.estimatedUsd ?? 0) + (b.estimatedUsd ?? 0);
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    costUsd: a.costUsd + b.costUsd,
    ...(estimatedUsd > 0 && { estimatedUsd }),
  };
}

/**
 * `said`: a piece of the reply's text, as it comes. `replied`: the whole, once, last. `finish` is `length` when the backend's limit cut the
 * reply off, also within a call; else `tools` when there are calls. A reply has text or calls, or both: an empty one is a `bad-reply`.
 */
export type ModelEvent =
  | { readonly type: 'said'; readonly text: string }
  | {
      readonly type: 'replied';
      readonly text: string;
      readonly calls: RequestedCall[];
      readonly usage: ModelUsage;
      readonly finish: 'stop' | 'length' | 'tools';
    };
export type ModelReply = Extract<ModelEvent, { type: 'replied' }>;
