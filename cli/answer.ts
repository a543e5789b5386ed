/** What an answer means to the question it is for: people say `yes` and `ap` where a task wants `approve`. */
import type { Question, SteeringInput } from '../bus/messages.ts';

export interface Meant {
  readonly text: string;
  /** What the operator may not have meant; null when there is nothing to say. */
  readonly note: string | null;
}

const yes = /^(y|yes|ok)$/i;
const no = /^(n|no)$/i;

export function meant(question: Question, text: string): Meant {
  const { kind, choices = [] } = question;
  const said = text.trim().toLowerCase();
  const exact = choices.find((choice) => choice.toLowerCase() === said);
  if (exact !== undefined) return { text: exact, note: null };
  // What an agent asks takes any words: the beginning of a choice may be the whole of an answer.
  if (kind === 'asked') return { text, note: null };
  if (kind === 'approval' && yes.test(said)) return { text: 'approve', note: null };
  if (kind === 'approval' && no.test(said)) return { text: 'deny', note: null };
  const begun = choices.filter((choice) => choice.toLowerCase().startsWith(said));
  if (said !== '' && begun.length === 1) return { text: begun[0]!, note: null };
  const isDenied = kind === 'approval';
  return {
    text,
    note: isDenied ? `That is none of ${choices.join(', ')}: it does not run, and the task is told so in your words.` : null,
  };
}

/** The message as it is to be sent, where it answers the question that is open. */
export function answering(
  message: SteeringInput,
  open: Question | null | undefined,
): { message: SteeringInput; note: string | null } {
  if (message.type !== 'answer' || open?.id !== message.question) return { message, note: null };
  const { text, note } = meant(open, message.text);
  return { message: { ...message, text }, note };
}
