/**
 * The words that answer an approval and are more than a yes or a no: `edit`, `goal` and `always`. They are words of the surfaces:
 * a task gets an answer with `args`, or the message `allow`.
 */
import type { Crew } from '../bus/crew.ts';
import type { Question, SteeringInput } from '../bus/messages.ts';
import { goalOf, type TaskId } from '../bus/task-id.ts';
import { usageError } from './errors.ts';
import { proposalOf } from './proposal.ts';
import { verbs } from './verbs.ts';

export const approvalWords = ['edit', 'goal', 'always'] as const;
export type ApprovalWord = (typeof approvalWords)[number];

/** What a surface does for these words. */
export interface ApprovalHelp {
  /** Opens a text in the operator's editor. @throws CoxError if that fails. */
  edit(text: string, suffix: string): Promise<string>;
  /** Writes into the roster that a tool needs no approval. @returns what was changed. @throws CoxError if that is refused. */
  allowAlways(tool: string): Promise<string>;
}

export interface Said {
  readonly to: TaskId;
  readonly message: SteeringInput;
  /** What else was done, for the operator. */
  readonly note?: string;
}

const yes = '(?:(?:yes|ok|allow|approve),? )?';
const patterns: Readonly<Record<ApprovalWord, RegExp>> = {
  edit: /^edit(?: it)?$/,
  goal: new RegExp(`^${yes}(?:for )?(?:(?:this|the) )?goal$`),
  always: new RegExp(`^${yes}always(?: here)?$`),
};

/** The word that a text is, if the question is an approval. */
export function approvalWord(text: string, question?: Question): ApprovalWord | null {
  if (question && question.kind !== 'approval') return null;
  const said = text.trim().toLowerCase().replace(/[.!]$/, '');
  return approvalWords.find((word) => patterns[word].test(said)) ?? null;
}

/** The choices of a question, and for an approval the words beside them. */
export const wordsFor = ({ kind, choices = [] }: Pick<Question, 'kind' | 'choices'>): readonly string[] =>
  kind === 'approval' ? [...choices, ...approvalWords] : choices;

/** As `saidTo`, for a message that names its question. All other messages are as they are. */
export async function meant(crew: Crew, id: TaskId, message: SteeringInput, help: ApprovalHelp): Promise<Said> {
  if (message.type !== 'answer' || approvalWord(message.text) === null) return { to: id, message };
  const question = (await crew.status(id))?.question;
  return question?.id === message.question ? saidTo(id, question, message.text, help) : { to: id, message };
}

/**
 * The message that an operator's answer becomes, after what its words ask for has been done.
 * @throws CoxError if nothing is to be sent; the question stays open.
 */
export async function saidTo(id: TaskId, question: Question, text: string, help: ApprovalHelp): Promise<Said> {
  const word = approvalWord(text, question);
  if (word === null) return { to: id, message: verbs.answer.message([question.id, text]) };
  if (word === 'edit') return { to: id, message: await editedAnswer(question, help) };
  const tool = question.call?.tool;
  if (tool === undefined)
    throw usageError(`Question ${question.id} does not say which tool it is about.`, `Allow it by name: allow ${id} <tool>.`);
  // What is always allowed is allowed in this goal too: its tasks may have read the roster before.
  const note = word === 'always' ? await help.allowAlways(tool) : undefined;
  return { to: goalOf(id), message: { type: 'allow', tool }, ...(note !== undefined && { note }) };
}

async function editedAnswer(question: Question, help: ApprovalHelp): Promise<SteeringInput> {
  const proposal = proposalOf(question);
  const text = await help.edit(proposal.text, proposal.suffix);
  const open = `Question ${question.id} stays open; \`approve\` allows the call as it is.`;
  if (text === proposal.text) throw usageError('Nothing was changed.', open);
  if (text.trim() === '') throw usageError('The text is empty.', open);
  return { type: 'answer', question: question.id, text: 'approve', args: proposal.with(text) };
}
