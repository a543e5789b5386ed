/** Maps an operator's answer to the choices of its question: `yes` and `ap` both mean `approve`. */
import type { Question, SteeringInput } from '../bus/messages.ts';

export interface Meant {
  readonly text: string;
  /** A warning about an effect that the operator may not expect, or null. */
  readonly note: string | null;
}

const yes = /^(y|yes|ok)$/i;
const no = /^(n|no)$/i;

export function meant(question: Question, text: string): Meant {
  const { kind, choices = [] } = question;
  const said = text.trim().toLowerCase();
  const exact = choices.find((choice) => choice.toLowerCase() === said);
  if (exact !== undefined) return { text: exact, note: null };
  // A question that an agent asked takes any text, so a prefix of a choice may be the complete answer.
  if (kind === 'asked') return { text, note: null };
  if (kind === 'approval' && yes.test(said)) return { text: 'approve', note: null };
  if (kind === 'approval' && no.test(said)) return { text: 'deny', note: null };
  const begun = choices.filter((choice) => choice.toLowerCase().startsWith(said));
  if (said !== '' && begun.length === 1) return { text: begun[0]!, note: null };
  const isDenied = kind === 'approval';
  return {
    text,
    note: isDenied
      ? `That is not one of ${choices.join(', ')}. The call does not run, and the task gets your words as the reason.`
      : null,
  };
}

/** The message to send. If it answers the question `open`, its text is mapped to a choice by `meant`. */
export function answering(
  message: SteeringInput,
  open: Question | null | undefined,
): { message: SteeringInput; note: string | null } {
  if (message.type !== 'answer' || open?.id !== message.question) return { message, note: null };
  const { text, note } = meant(open, message.text);
  return { message: { ...message, text }, note };
}
