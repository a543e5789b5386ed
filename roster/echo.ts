/**
 * The fields of a reply that its server wants back: thoughts, and the signatures that prove them. Thinking models refuse a history
 * in which a call of theirs has lost them. The fields have other names everywhere (`reasoning_content` at DeepSeek and Moonshot,
 * `reasoning_details` at OpenRouter, `thinking_blocks` at LiteLLM, `extra_content` of a call at Google), so they are known by the
 * words in their names, and go back unread.
 */
import type { Echo, JsonFields } from './conversation.ts';
import { isFields } from './wire-piece.ts';

const isOfThoughts = (name: string): boolean => /reason|think|thought|signature/i.test(name) && !/token/i.test(name);
/** Fields of a call that may hold a signature, among other things. */
const holders: ReadonlySet<string> = new Set(['extra_content', 'provider_specific_fields']);
/** LiteLLM hides the signature of a Google call in its id, for clients that keep nothing else. */
const signedId = '__thought__';

/** Most characters that are kept of one reply. Longer thoughts are dropped: a signature is of the whole, so they cannot be cut. */
const maxChars = 200_000;
const maxDepth = 12;

/** Collects the fields from the pieces of one reply, or of one call. */
export class EchoCollector {
  #fields: JsonFields = {};
  #chars = 0;

  /** @param piece a delta, a message, or a tool call, as it came. */
  add(piece: JsonFields): void {
    if (this.#chars > maxChars) return;
    const found = thoughtsIn(piece);
    if (found === null) return;
    this.#chars += isShallow(found, maxDepth) ? JSON.stringify(found).length : Number.POSITIVE_INFINITY;
    this.#fields = this.#chars > maxChars ? {} : joinedFields(this.#fields, found);
  }

  get fields(): JsonFields {
    return this.#fields;
  }
}

function thoughtsIn(piece: JsonFields): JsonFields | null {
  const found = Object.entries(piece).flatMap(([name, value]): [string, unknown][] => {
    if (value === null || value === undefined) return [];
    if (name === 'function' && isFields(value)) {
      const inner = thoughtsIn(value);
      return inner ? [[name, inner]] : [];
    }
    const isSignedId = name === 'id' && typeof value === 'string' && value.includes(signedId);
    return isOfThoughts(name) || holders.has(name) || isSignedId ? [[name, value]] : [];
  });
  return found.length > 0 ? Object.fromEntries(found) : null;
}

/** The thoughts that stand as typed parts in `content`. */
export function thoughtParts(content: unknown): JsonFields {
  const parts = Array.isArray(content)
    ? content.filter((part) => isFields(part) && typeof part.type === 'string' && isOfThoughts(part.type))
    : [];
  return parts.length > 0 ? { thought_parts: parts } : {};
}

/** @returns undefined if the reply had none. */
export function echoOf(
  { echo: message, calls }: { readonly echo: JsonFields; readonly calls: readonly { readonly echo: EchoCollector }[] },
  { backend, model }: { readonly backend: string; readonly model: string },
): Echo | undefined {
  const ofCalls = calls.map(({ echo }) => echo.fields);
  const isEmpty = [message, ...ofCalls].every((fields) => Object.keys(fields).length === 0);
  return isEmpty ? undefined : { backend, model, message, calls: ofCalls };
}

/** Texts grow, lists get more items, and anything else is replaced. */
function joined(before: unknown, more: unknown, name: string): unknown {
  if (typeof before === 'string' && typeof more === 'string') return isWholeText(name) ? more || before : before + more;
  if (Array.isArray(before) && Array.isArray(more)) return more.reduce(addItem, before);
  if (isFields(before) && isFields(more)) return joinedFields(before, more);
  return more ?? before;
}

/** A text that is not sent in pieces, but whole, in some or all of the pieces. */
const isWholeText = (name: string): boolean => /^(id|type|format|role|name)$|signature/i.test(name);

function joinedFields(before: JsonFields, more: JsonFields): JsonFields {
  const added = Object.entries(more).map(([name, value]) => [
    name,
    joined(Object.hasOwn(before, name) ? before[name] : undefined, value, name),
  ]);
  return { ...before, ...Object.fromEntries(added) };
}

/** Adds to the item that the piece goes on with: the one with its index, else the last one, if it is of its type and unsigned. */
function addItem(items: unknown[], piece: unknown): unknown[] {
  const at = isFields(piece)
    ? items.findLastIndex((item, i) => isFields(item) && goesOn(item, piece, i === items.length - 1))
    : -1;
  if (at < 0) items.push(piece);
  else items[at] = joinedFields(items[at] as JsonFields, piece as JsonFields);
  return items;
}

function goesOn(item: JsonFields, piece: JsonFields, isLast: boolean): boolean {
  if (typeof piece.index === 'number') return item.index === piece.index && item.type === piece.type;
  if (!isLast || item.type !== piece.type || (piece.id && piece.id !== item.id)) return false;
  return !item.signature && !item.data;
}

/** JSON of any depth can be parsed, but not walked. */
function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((it) => isShallow(it, depth - 1));
}
