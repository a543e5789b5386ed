/** Steering messages as a chart's commands: those that every task takes. */
import type { SteeringMessage } from '../../bus/messages.ts';
import type { Command } from '../../machines/commands.ts';

/** @returns null for messages that change a plan: only a supervisor takes those. */
export function commandOf(id: string, message: SteeringMessage): Command | null {
  switch (message.type) {
    case 'steer':
      return { type: 'STEER', id, text: message.text, urgency: message.urgency };
    case 'redirect':
      return { type: 'REDIRECT', id, text: message.text };
    case 'answer':
      return { type: 'ANSWER', id, question: message.question, text: message.text };
    case 'swap':
      return { type: 'SWAP', id, backend: message.backend };
    case 'budget':
      return {
        type: 'BUDGET',
        id,
        ...(message.steps !== undefined && { steps: message.steps }),
        ...(message.costUsd !== undefined && { costUsd: message.costUsd }),
      };
    case 'pause':
      return { type: 'PAUSE', id };
    case 'resume':
      return { type: 'RESUME', id };
    case 'cancel':
      return { type: 'CANCEL', id };
    default:
      return null;
  }
}
