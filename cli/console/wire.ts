/** The messages between the page and the server of the console, over HTTP. The page imports it, so nothing of Node is here. */
import type { Receipt, SteeringInput } from '../../bus/messages.ts';
import type { PageAccess } from '../../bus/page-connection.ts';

/** Reply to `GET /session`. */
export interface SessionReply {
  readonly version: string;
  readonly namespace: string;
  /** Where the bus is, for people. */
  readonly server: string;
  readonly embedded: boolean;
  /** ISO 8601; null: the page may only read. */
  readonly unlockedUntil: string | null;
  /** For how long an unlock lasts, in ms. */
  readonly unlockMs: number;
}

/** Reply to `POST /access`. */
export type AccessReply = PageAccess;

/** Body of `POST /order`. */
export type Order =
  | { readonly kind: 'steer'; readonly task: string; readonly message: SteeringInput }
  | {
      readonly kind: 'dispatch';
      readonly spec: { readonly type: string; readonly instruction: string; readonly backend?: string };
    };

/** Reply to `POST /order`: the message is stored; its receipts are those that came while the console waited for the final one. */
export type OrderReply =
  | { readonly kind: 'steer'; readonly steer: string; readonly seq: number; readonly receipts: readonly Receipt[] }
  | { readonly kind: 'dispatch'; readonly id: string };

/** Body of `POST /roster`: edits as `cox roster edit` takes them. With the hash of the file that was shown it writes. */
export interface RosterEditRequest {
  readonly edits: readonly string[];
  readonly write?: string;
}
/** Reply to `POST /roster`. */
export interface RosterEditReply {
  readonly file: string;
  readonly hash: string;
  /** Unified diff; empty: nothing changes. */
  readonly diff: string;
  /** Path of the old file; null: nothing was written. */
  readonly backup: string | null;
}
/** Reply to `POST /say`: the id of the line, and who answers it. */
export interface SayReply {
  readonly id: string;
  readonly by: string;
}

/** Reply to every request that was refused. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}
