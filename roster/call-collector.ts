/**
 * Puts the pieces of tool calls together. By the protocol each call has an index, and its id and name come once, in its first
 * piece. Servers leave out the index or use 0 for every call, leave out the id, change it between pieces, repeat id and name in
 * every piece, send the arguments as an object, or send the whole call once more at its end. So a piece begins a new call only
 * where it has a name and cannot go on with the call before.
 */
import type { JsonFields } from './conversation.ts';
import { EchoCollector } from './echo.ts';
import { JsonProgress } from './json-progress.ts';

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
  /** Of the arguments. */
  progress: JsonProgress;
}

/** Most pieces in one delta; a whole reply has no more calls. */
const mostPieces = 300;

export class CallCollector {
  /** Characters of all calls so far: ids, names and arguments. */
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
      const call = {
        index: piece.index,
        id: piece.id,
        tool: piece.name,
        argumentsText: piece.args,
        grown: piece.args,
        progress: new JsonProgress(),
        echo,
      };
      echo.add(piece.said);
      call.progress.push(piece.args);
      this.open.push(call);
      this.chars += charsOf(call);
      return;
    }
    known.echo.add(piece.said);
    const before = charsOf(known);
    known.id ||= piece.id;
    known.tool = joinedName(known, piece);
    addArgs(known, piece);
    if (piece.args !== '') known.grown = known.grown !== null && piece.args.startsWith(known.grown) ? piece.args : null;
    this.chars += Math.max(0, charsOf(known) - before);
  }

  /** The call that the piece may belong to: the one with its index and id, else the last one with its index. */
  private knownFor({ index, id }: Piece): Open | undefined {
    const ofIndex = index === null ? this.open : this.open.filter((call) => call.index === index);
    const ofId = id ? ofIndex.findLast((call) => call.id === id) : undefined;
    return ofId ?? ofIndex.at(-1);
  }
}

const charsOf = ({ id, tool, argumentsText }: RawCall): number => id.length + tool.length + argumentsText.length;

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

function isNew(known: Open, { index, id, name, args, isWhole }: Piece): boolean {
  if (!name) return false;
  const hasArgs = known.progress.hasBegun;
  const hasMore = hasArgs && !isEmptyObject(known.argumentsText);
  const isSameId = id !== '' && id === known.id;
  const isOtherId = id !== '' && known.id !== '' && !isSameId;
  if (!known.tool) return isOtherId && hasArgs;
  if (isSameId) return isWholeJson(known) && (name !== known.tool || (hasMore && !isRepeat(known, args) && isJson(args)));
  if (name !== known.tool) return hasArgs || isOtherId || !name.startsWith(known.tool);
  // The same name again, without an id or with another one.
  if (!hasArgs) return false;
  if (isWholeJson(known)) return isOtherId || hasMore || isJson(args);
  return isWhole || (args.trimStart().startsWith('{') && ((isOtherId && index === null) || !known.progress.takesValue));
}

const isWholeJson = ({ argumentsText, progress }: Open): boolean => progress.isClosed && isJson(argumentsText);
/** A long text is not looked at as a whole for each piece. */
const isEmptyObject = (text: string): boolean => text.length < 16 && text.trim() === '{}';

/** The whole call once more. */
const isRepeat = (known: RawCall, args: string): boolean => args !== '' && args === known.argumentsText;

/** A name that comes in pieces, or grows with every piece. */
function joinedName(known: RawCall, { name, id }: Piece): string {
  if (!name || name === known.tool) return known.tool;
  if (!known.tool || name.startsWith(known.tool)) return name;
  return id && id === known.id && known.argumentsText === '' ? known.tool + name : known.tool;
}

function addArgs(known: Open, { args, isWhole }: Piece): void {
  const before = known.argumentsText;
  if (args === '') return;
  // `{}` stands at the beginning of a call whose arguments are still to come.
  const isOther = before === '' || isWhole || (isEmptyObject(before) && args.trimStart().startsWith('{'));
  if (!isOther && args === before && isWholeJson(known)) return;
  if (isOther) known.progress = new JsonProgress();
  known.argumentsText = isOther ? args : before + args;
  known.progress.push(args);
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
