/** The commands that an operator may send to any task. The ledger identifies a command by the id of its steering message. */
import type { LedgerEntry, Urgency } from './steering-ledger.ts';

export type Command =
  | { type: 'STEER'; id: string; text: string; urgency: Urgency }
  | { type: 'REDIRECT'; id: string; text: string }
  /** `args`: an approved call runs with these arguments instead of the model's. */
  | { type: 'ANSWER'; id: string; question: string; text: string; args?: unknown }
  /** `now`: the model call in flight is broken off. */
  | { type: 'SWAP'; id: string; backend: string; now?: true }
  /** Calls of this tool need no approval for the rest of the task. */
  | { type: 'ALLOW'; id: string; tool: string }
  | { type: 'BUDGET'; id: string; steps?: number; costUsd?: number }
  | { type: 'PAUSE' | 'RESUME' | 'CANCEL'; id: string };

/** The ledger entry of a command. */
export function entryOf(command: Command): LedgerEntry {
  const { id } = command;
  switch (command.type) {
    case 'STEER':
      return { id, kind: 'steer', text: command.text, urgency: command.urgency };
    case 'REDIRECT':
      return { id, kind: 'redirect', text: command.text };
    case 'ANSWER':
      return { id, kind: 'answer', text: command.text };
    case 'SWAP':
      return { id, kind: 'swap', text: command.backend };
    case 'ALLOW':
      return { id, kind: 'allow', text: command.tool };
    case 'BUDGET':
      return { id, kind: 'budget', text: `${command.steps ?? 0} steps, $${command.costUsd ?? 0}` };
    case 'PAUSE':
      return { id, kind: 'pause', text: '' };
    case 'RESUME':
      return { id, kind: 'resume', text: '' };
    case 'CANCEL':
      return { id, kind: 'cancel', text: '' };
  }
}
