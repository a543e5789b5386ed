/**
 * What one JSON value of a reply says, whatever shape the server gives it: text, thoughts, calls, the end, usage, or an error. A
 * chunk of a stream and a whole reply are read alike.
 */
import { type Ending, endingOf } from './ending.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface WirePiece {
  /** The delta or the message, as it came. */
  readonly said: Fields;
  readonly text: string;
  /** Thoughts that the server keeps apart from the text. */
  readonly thoughts: string;
  readonly refusal: string;
  /** `tool_calls` as they came; undefined if there are none. */
  readonly calls: unknown;
  readonly ending: Ending | null;
  /** `usage` as it came; that of the choice (Moonshot) or in a field of the server's own (Groq), if there is no other. */
  readonly usage: unknown;
  readonly hasChoice: boolean;
  /** There is usage and no choice: by the protocol nothing follows. */
  readonly isLast: boolean;
  /** It is a message and no delta: the text so far may be told once more. */
  readonly isMessage: boolean;
}

/** @param choiceIndex the index of the choice that is read, where a server gives several. */
export function pieceOf(value: Fields, choiceIndex = 0): WirePiece {
  const choices = Array.isArray(value.choices) ? value.choices.filter(isFields) : [];
  const choice = choices.find((it) => (it.index ?? 0) === choiceIndex) ?? null;
  const said = [choice?.delta, choice?.message].find(isFields) ?? {};
  const content = contentOf(said.content ?? choice?.text);
  return {
    said,
    text: content.text,
    thoughts: content.thoughts || textIn(said.reasoning_content) || textIn(said.reasoning) || textIn(said.thinking),
    refusal: content.refusal || textIn(said.refusal),
    calls: said.tool_calls ?? said.function_call ?? undefined,
    ending: endingOf(choice?.finish_reason ?? choice?.finishReason),
    usage: value.usage ?? choice?.usage ?? (isFields(value.x_groq) ? value.x_groq.usage : undefined),
    hasChoice: choice !== null,
    isMessage: !isFields(choice?.delta) && isFields(choice?.message),
    isLast: choices.length === 0 && isFields(value.usage) && Object.keys(value.usage).length > 0,
  };
}

interface Content {
  readonly text: string;
  readonly thoughts: string;
  readonly refusal: string;
}
const noContent: Content = { text: '', thoughts: '', refusal: '' };

/** Content is text, or one typed part, or a list of them: text, thoughts, a refusal. Parts of other types are left out. */
function contentOf(content: unknown, depth = 0): Content {
  if (typeof content === 'string') return { ...noContent, text: content };
  if (Array.isArray(content)) {
    if (depth > 4) return noContent;
    const parts = content.map((part) => contentOf(part, depth + 1));
    const joined = (key: keyof Content): string => parts.map((part) => part[key]).join('');
    return { text: joined('text'), thoughts: joined('thoughts'), refusal: joined('refusal') };
  }
  if (!isFields(content)) return noContent;
  const type = typeof content.type === 'string' ? content.type : 'text';
  if (/think|reason|thought/i.test(type))
    return { ...noContent, thoughts: textIn(content.thinking) || textIn(content.reasoning) || textIn(content) };
  if (/refus/i.test(type)) return { ...noContent, refusal: textIn(content.refusal) || textIn(content) };
  return /text/i.test(type) ? { ...noContent, text: textIn(content) } : noContent;
}

/** The text of a value: itself, or that of `text`, `value`, `content` or `summary`, or of each part of a list. */
function textIn(value: unknown, depth = 0): string {
  if (typeof value === 'string') return value;
  if (depth > 4) return '';
  if (Array.isArray(value)) return value.map((it) => textIn(it, depth + 1)).join('');
  if (!isFields(value)) return '';
  return textIn(value.text ?? value.value ?? value.content ?? value.summary, depth + 1);
}

export const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
