/**
 * A conversation as turns that every server accepts, whatever happened before. The history of a steered task has replies that were
 * cut off, calls that never ran, results that came late, and corrections at any place; strict servers and chat templates refuse
 * those. The two forms of a transcript (transcript.ts, text-tools.ts) are written from these turns. Invariants:
 * - User and assistant alternate, where the results of calls count as the user's; the first and the last word is the user's.
 * - Every call has one result, right after it. A late result is moved up; a call without one gets `notRun`.
 * - Ids of calls are unique, and ids and names of calls are legal everywhere.
 * - No text is blank, except that of an assistant that calls tools.
 * - Each picture of a message is either among its pictures or described in its text.
 */
import type { ChatMessage, Echo, Picture, RequestedCall } from './conversation.ts';

export const interruptedMark = '[interrupted here by the operator]';
export const brokenOffMark = '[broken off here]';
/** Stands between what two backends said in the place of one reply: the first broke off, and the second began anew. */
export const begunAnew = '\n[broken off here; another backend begins anew]\n';
export const notRun = 'Not run: it was interrupted before it started.';
const emptyResult = '(no output)';
/** The user's word where none was said but a server requires one: before the first turn, between two replies, and at the end. */
export const nothingSaid = { first: 'Begin.', next: 'Go on.' } as const;

export interface AnsweredCall extends Omit<RequestedCall, 'args'> {
  /** An object: servers parse the arguments and fail on anything else. */
  readonly args: object;
  readonly result: string;
  readonly pictures: readonly SentPicture[];
}
export interface SentPicture extends Picture {
  readonly data: string;
}
export interface AssistantTurn {
  readonly role: 'assistant';
  /** With the mark of what cut it off. Blank only if there are calls. */
  readonly text: string;
  readonly calls: readonly AnsweredCall[];
  /** The text was cut off. */
  readonly unfinished: boolean;
  readonly echo?: Echo | undefined;
}
export interface UserTurn {
  readonly role: 'user';
  readonly text: string;
  readonly pictures: readonly SentPicture[];
}
export type Turn = UserTurn | AssistantTurn;

/** @param sees whether the reader takes pictures. */
export function turnsOf(messages: readonly ChatMessage[], sees: boolean): Turn[] {
  const { resultOf, strays } = matchResults(messages);
  const turns = new Turns();
  for (const message of messages) {
    if (message.role === 'user') {
      const { text, pictures } = shownIn(message, sees);
      turns.user(text, pictures);
    } else if (message.role === 'assistant') turns.assistant(message, (call) => resultIn(resultOf.get(call), sees));
    // The model may still need a result whose call is no longer in the conversation.
    else if (message.role === 'tool' && strays.has(message)) {
      const { text, pictures } = resultIn(message, sees);
      turns.user(`Result of a tool:\n${text}`, pictures);
    }
  }
  return turns.finished();
}

export const systemText = (messages: readonly ChatMessage[]): string =>
  messages
    .filter(({ role, text }) => role === 'system' && !isBlank(text))
    .map(({ text }) => text.toWellFormed())
    .join('\n\n');

const isBlank = (text: string): boolean => text.trim() === '';

type Assistant = Extract<ChatMessage, { role: 'assistant' }>;
type ToolResult = Extract<ChatMessage, { role: 'tool' }>;
type Result = Pick<UserTurn, 'text' | 'pictures'>;

const resultIn = (message: ToolResult | undefined, sees: boolean): Result =>
  message ? shownIn(message, sees) : { text: notRun, pictures: [] };

/** The text, which describes the pictures that are not sent, and those that are. */
function shownIn({ text, images = [] }: Pick<ToolResult, 'text' | 'images'>, sees: boolean): Result {
  const pictures = sees ? images.filter(isSent) : [];
  const told = images.filter((image) => !pictures.includes(image as SentPicture)).map(inWords);
  return { text: [text, ...told].join('\n'), pictures };
}

const isSent = (picture: Picture): picture is SentPicture => picture.data !== undefined;

const takesNone = 'this model takes no pictures';
const inWords = ({ ref, type, width, height, data, unseen }: Picture): string =>
  `[Picture ${ref}, ${type}, ${width} × ${height} pixels. It is not shown to you: ${data === undefined ? (unseen ?? takesNone) : takesNone}.]`;

class Turns {
  private readonly all: Turn[] = [];
  private calls = 0;

  user(text: string, pictures: readonly SentPicture[] = []): void {
    if (isBlank(text)) return;
    const last = this.all.at(-1);
    const said = text.toWellFormed();
    if (last?.role === 'user')
      this.all[this.all.length - 1] = { ...last, text: `${last.text}\n\n${said}`, pictures: [...last.pictures, ...pictures] };
    else this.all.push({ role: 'user', text: said, pictures });
  }

  assistant(message: Assistant, resultOf: (call: RequestedCall) => Result): void {
    const { calls = [] } = message;
    const unfinished = message.unfinished === true;
    const parts = message.text.split(begunAnew);
    const whole = parts.pop()!;
    for (const part of parts) this.said(`${part} ${brokenOffMark}`, [], true, !isBlank(part));
    const answered = calls.map((call) => this.answered(call, resultOf(call)));
    const hasText = !isBlank(whole);
    this.said(hasText && unfinished ? `${whole} ${interruptedMark}` : whole, answered, unfinished, hasText, message.echo);
  }

  finished(): Turn[] {
    this.letUserSpeak();
    return this.all;
  }

  private said(text: string, calls: readonly AnsweredCall[], unfinished: boolean, hasText: boolean, echo?: Echo): void {
    if (!hasText && calls.length === 0) return;
    this.letUserSpeak();
    this.all.push({ role: 'assistant', text: hasText ? text.toWellFormed() : '', calls, unfinished, ...(echo && { echo }) });
  }

  /** Gives the user a word where the last one is the assistant's, or there is none. */
  private letUserSpeak(): void {
    const last = this.all.at(-1);
    if (!last) this.user(nothingSaid.first);
    else if (last.role === 'assistant' && last.calls.length === 0) this.user(nothingSaid.next);
  }

  private answered({ tool, args }: RequestedCall, { text, pictures }: Result): AnsweredCall {
    const isObject = typeof args === 'object' && args !== null && !Array.isArray(args);
    return {
      id: legalId(this.calls++),
      tool: legalName(tool),
      args: wellFormed(isObject ? args : { not_an_object: args }),
      result: isBlank(text) ? emptyResult : text.toWellFormed(),
      pictures,
    };
  }
}

/** A copy in which no text has half of a character; servers refuse JSON with one. */
const wellFormed = (args: object): object =>
  JSON.parse(JSON.stringify(args, (_key, value) => (typeof value === 'string' ? value.toWellFormed() : value)));

/**
 * Nine letters and digits: Mistral's API requires exactly that, and every other one allows it. Its number is that of the call in
 * the conversation, so that a longer history begins with the same text and a server can reuse what it has cached.
 */
const legalId = (nth: number): string => `c${nth.toString(36).padStart(8, '0')}`;

/** The rule of OpenAI (letters, digits, `_`, `-`, at most 64), and Google's that a name begins with a letter or `_`. */
function legalName(name: string): string {
  const letters = name.replace(/[^a-zA-Z0-9_-]/g, '_');
  return (/^[a-zA-Z_]/.test(letters) ? letters : `_${letters}`).slice(0, 64);
}

/** The results by call, and those whose call is not in the conversation. Of two results for one call the later one counts. */
function matchResults(messages: readonly ChatMessage[]) {
  const resultOf = new Map<RequestedCall, ToolResult>();
  const strays = new Set<ChatMessage>();
  // A model may use an id again, so the latest message that has it counts.
  const callsOf = new Map<string, readonly RequestedCall[]>();
  for (const message of messages) {
    if (message.role === 'assistant')
      for (const { id } of message.calls ?? []) callsOf.set(id, message.calls?.filter((call) => call.id === id) ?? []);
    if (message.role !== 'tool') continue;
    const calls = callsOf.get(message.call) ?? [];
    const call = calls.find((it) => !resultOf.has(it)) ?? calls.at(-1);
    if (call) resultOf.set(call, message);
    else strays.add(message);
  }
  return { resultOf, strays };
}
