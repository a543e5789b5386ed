/** What the page and the server of the console say to each other over HTTP. The page imports it, so nothing of Node is here. */
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

/** Reply to every request that was refused. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}
