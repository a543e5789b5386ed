/**
 * A ticket as the code names its fields. On the wire `run` is `t` (`TicketMessage` in bus/messages.ts).
 * Rule `claim` (docs/task-protocol.md).
 */
import type { Seal, TaskSpec } from '../messages.ts';
import { TicketMessage } from '../messages.ts';
import { parseMessage } from '../parse-message.ts';
import type { TaskId } from '../task-id.ts';

/** A request to run a task once. */
export interface Ticket {
  readonly id: TaskId;
  /** Number of the run: one more than the state record names. The first run is 1. */
  readonly run: number;
  /** For a sub-task, whose state record is created at its first claim. */
  readonly spec?: TaskSpec | undefined;
  /** In a crew with roles, with `spec`: the node that holds the parent has ordered this. */
  readonly seal?: Seal | undefined;
}

export const ticketText = ({ run, ...rest }: Ticket): string => JSON.stringify({ ...rest, t: run });

/** @returns null where the message is not a ticket. */
export function parseTicket(data: Uint8Array): Ticket | null {
  const message = parseMessage(TicketMessage, data);
  if (!message) return null;
  const { t: run, ...rest } = message;
  return { ...rest, run };
}
