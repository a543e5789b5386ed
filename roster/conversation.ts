/** Requests to a model and its replies, independent of any provider's protocol. */

export interface RequestedCall {
  readonly id: string;
  readonly tool: string;
  /** As the model wrote them, unchecked. Arguments that are not JSON stay the raw string, which no tool's schema accepts. */
  readonly args: unknown;
}
export type JsonFields = Readonly<Record<string, unknown>>;

/** Fields of a reply that its server wants back unchanged (echo.ts). */
export interface Echo {
  /** The sender: no other backend and no other model gets them. */
  readonly backend: string;
  readonly model: string;
  readonly message: JsonFields;
  /** One for each call of the reply, in its order. */
  readonly calls: readonly JsonFields[];
}

/** A picture in a conversation. */
export interface Picture {
  /** Name of its artifact. */
  readonly ref: string;
  /** MIME type of the artifact. */
  readonly type: string;
  /** Of the artifact, in pixels. */
  readonly width: number;
  readonly height: number;
  /** The picture as it is sent: a data URL. Left out: the model is told of it in words. */
  readonly data?: string;
  /** Why it is not sent. Default: the model takes no pictures. */
  readonly unseen?: string;
}

/** The messages of machines/conversation.ts fit this type as they are. */
export type ChatMessage =
  | { readonly role: 'system'; readonly text: string }
  | { readonly role: 'user'; readonly text: string; readonly images?: readonly Picture[] }
  | {
      readonly role: 'assistant';
      readonly text: string;
      readonly calls?: readonly RequestedCall[];
      readonly unfinished?: true;
      readonly echo?: Echo;
    }
  | { readonly role: 'tool'; readonly call: string; readonly text: string; readonly images?: readonly Picture[] };

export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly parameters: object;
}

export interface ModelRequest {
  readonly messages: readonly ChatMessage[];
  readonly tools?: readonly ToolSpec[];
  /** Default: auto. A list names those of the tools that may be called now; not every backend knows such lists. */
  readonly toolChoice?: 'auto' | 'none' | 'required' | { readonly mode: 'auto' | 'required'; readonly only: readonly string[] };
  /** The reply must be JSON that fits this JSON Schema. Only `Backends.ask` checks it. Not to be combined with `tools`. */
  readonly schema?: { readonly name: string; readonly json: object };
  /** Tokens. The backend's `max_output` remains the upper limit. */
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  /** The reply is worth nothing without the pictures: a backend that refuses them fails, instead of being told of them in words. */
  readonly needsPictures?: true;
  /** An operator waits for the reply: the call goes to the front of the backend's line. Default: false. */
  readonly isUrgent?: boolean;
}

/** Tokens as counted by the backend, or estimated from the length of the text; cost in US dollars. */
export interface ModelUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number;
  /** The part of `costUsd` that is an estimate: the worst case of requests whose bill never arrived. Left out where it is 0. */
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
 * `said`: a piece of the reply's text, as it arrives. `replied`: the complete reply, once, as the last event. `finish` is
 * `length` when the backend's limit cut the reply off, even within a call; otherwise `tools` when there are calls, else `stop`. A
 * reply has text, calls, or both; an empty reply is a `bad-reply`. `text` is without the thoughts, some of which may have been
 * said.
 */
export type ModelEvent =
  | { readonly type: 'said'; readonly text: string }
  | {
      readonly type: 'replied';
      readonly text: string;
      readonly calls: RequestedCall[];
      readonly usage: ModelUsage;
      readonly finish: 'stop' | 'length' | 'tools';
      /** The backend's word for why the text is not whole, such as `length`. Left out if it is whole, and beside calls. */
      readonly cut?: string;
      /** What the model thought, if it told that; never part of the text. */
      readonly thoughts?: string;
      /** To be kept with the message of this reply. Left out if the server wants nothing back. */
      readonly echo?: Echo;
    };
export type ModelReply = Extract<ModelEvent, { type: 'replied' }>;
