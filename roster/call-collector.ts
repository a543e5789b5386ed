/**
 * Puts the pieces of tool calls together. By the protocol each call has an index, and its id and name come once, in its first
 * piece. Servers leave out the index or use 0 for every call, leave out the id, change it between pieces, repeat id and name in
 * every piece, send the arguments as an object, or send the whole call once more at its end. So a piece begins a new call only
 * where it has a name and cannot go on with the call before.
 */
import type { JsonFields } from './conversation.ts';
import { EchoCollector } from './echo.ts';

export interface RawCall {
  id: string;
  tool: string;
  argumentsText: string;
  /** Fields that the server wants back with the call. */
  readonly echo: EchoCollector;
}

interface Piece {
  /** As it came. */
  readonly said: JsonFields;
  readonly index: number | null;
  readonly id: string;
  readonly name: string;
  readonly args: string;
  /** The arguments came as an object, so they are whole. */
  readonly isWhole: boolean;
}
interface Open extends RawCall {
  readonly index: number | null;
  /** The last piece of the arguments, if each one so far has begun with the one before; else null. */
  grown: string | null;
}

/** Most pieces in one delta; a whole reply has no more calls. */
const mostPieces = 300;

export class CallCollector {
  /** Characters of all arguments so far. */
  chars = 0;
  private readonly open: Open[] = [];

  /** Without the remainder of a call whose name was repeated once more, after its arguments were whole. */
  get all(): readonly RawCall[] {
    return this.open
      .filter(
        (call, at) =>
          call.argumentsText !== '' ||
          !this.open.slice(0, at).some((other) => other.index === call.index && other.tool === call.tool),
      )
      .map(asTold);
  }
  get count(): number {
    return this.open.length;
  }

  /** @param value the `tool_calls` of a delta or of a message, or one `function_call` of the older protocol, as it came. */
  add(value: unknown): void {
    for (const each of Array.isArray(value) ? value.slice(0, mostPieces) : [value]) {
      const piece = pieceOf(each);
      if (piece) this.addPiece(piece);
    }
  }

  private addPiece(piece: Piece): void {
    const known = this.knownFor(piece);
    if (!known || isNew(known, piece)) {
      const echo = new EchoCollector();
      echo.add(piece.said);
      this.open.push({ index: piece.index, id: piece.id, tool: piece.name, argumentsText: piece.args, echo, grown: piece.args });
      this.chars += piece.args.length;
      return;
    }
    known.echo.add(piece.said);
    known.id ||= piece.id;
    known.tool = joinedName(known, piece);
    const before = known.argumentsText.length;
    known.argumentsText = joinedArgs(known, piece);
    if (piece.args !== '') known.grown = known.grown !== null && piece.args.startsWith(known.grown) ? piece.args : null;
    this.chars += Math.max(0, known.argumentsText.length - before);
  }

  /** The call that the piece may belong to: the one with its index and id, else the last one with its index. */
  private knownFor({ index, id }: Piece): Open | undefined {
    const ofIndex = index === null ? this.open : this.open.filter((call) => call.index === index);
    const ofId = id ? ofIndex.findLast((call) => call.id === id) : undefined;
    return ofId ?? ofIndex.at(-1);
  }
}

function pieceOf(value: unknown): Piece | null {
  if (typeof value !== 'object' || value === null) return null;
  const it = value as Record<string, unknown>;
  const called = (typeof it.function === 'object' && it.function !== null ? it.function : it) as Record<string, unknown>;
  const given = called.arguments ?? called.args ?? called.input;
  const isWhole = typeof given === 'object' && given !== null;
  return {
    said: it,
    index: Number.isSafeInteger(it.index) ? (it.index as number) : null,
    id: typeof it.id === 'string' || typeof it.id === 'number' ? String(it.id) : '',
    name: typeof called.name === 'string' ? called.name.trim() : '',
    args: typeof given === 'string' ? given : isWhole ? JSON.stringify(given) : '',
    isWhole,
  };
}

function isNew(known: RawCall, { index, id, name, args, isWhole }: Piece): boolean {
  if (!name) return false;
  const before = known.argumentsText.trim();
  const isSameId = id !== '' && id === known.id;
  const isOtherId = id !== '' && known.id !== '' && !isSameId;
  if (!known.tool) return isOtherId && before !== '';
  if (isSameId) return isJson(before) && (name !== known.tool || (before !== '{}' && !isRepeat(known, args) && isJson(args)));
  if (name !== known.tool) return before !== '' || isOtherId || !name.startsWith(known.tool);
  // The same name again, without an id or with another one.
  if (before === '') return false;
  if (isJson(before)) return isOtherId || before !== '{}' || isJson(args);
  return isWhole || (args.trimStart().startsWith('{') && ((isOtherId && index === null) || !takesValue(before)));
}

/** Whether an object, or the text of a string, can go on here in a JSON text that is not whole. */
function takesValue(before: string): boolean {
  let isInString = false;
  for (let at = 0; at < before.length; at++) {
    if (isInString && before[at] === '\\') at++;
    else if (before[at] === '"') isInString = !isInString;
  }
  return isInString || /[:,[]$/.test(before);
}

/** The whole call once more. */
const isRepeat = (known: RawCall, args: string): boolean => args !== '' && args === known.argumentsText;

/** A name that comes in pieces, or grows with every piece. */
function joinedName(known: RawCall, { name, id }: Piece): string {
  if (!name || name === known.tool) return known.tool;
  if (!known.tool || name.startsWith(known.tool)) return name;
  return id && id === known.id && known.argumentsText === '' ? known.tool + name : known.tool;
}

function joinedArgs(known: RawCall, { args, isWhole }: Piece): string {
  const before = known.argumentsText;
  if (before === '' || args === '') return before || args;
  // `{}` stands at the beginning of a call whose arguments are still to come.
  if (isWhole || (before.trim() === '{}' && args.trimStart().startsWith('{'))) return args;
  return args === before && isJson(before) ? before : before + args;
}

/** Some servers send all arguments so far with every piece: joined they are no JSON, and the last one is. */
const asTold = ({ grown, ...call }: Open): RawCall =>
  grown !== null && !isJson(call.argumentsText) && isJson(grown) ? { ...call, argumentsText: grown } : call;

export function isJson(text: string): boolean {
  if (!/[}\]"]\s*$/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
