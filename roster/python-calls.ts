/**
 * Calls in the syntax of Python, `[read_file(path="a.txt", line=2)]`, as Llama, Gemma and OLMo write them. Values are literals:
 * texts, numbers, True, False, None, lists and dictionaries. Anything else is no call.
 */

interface PythonCall {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** @returns null if the text is anything but such calls. */
export function pythonCalls(text: string): PythonCall[] | null {
  const reader = new Reader(text.trim());
  try {
    const isList = reader.takes('[');
    const calls = [call(reader)];
    while (reader.takes(isList ? ',' : ';') || (!isList && !reader.isAtEnd)) calls.push(call(reader));
    if (isList) reader.must(']');
    return reader.isAtEnd ? calls : null;
  } catch (error) {
    if (error instanceof NotPython) return null;
    throw error;
  }
}

class NotPython extends Error {}

function call(reader: Reader): PythonCall {
  const tool = reader.word();
  reader.must('(');
  const args = entries(reader, ')', () => {
    const name = reader.word();
    reader.must('=');
    return name;
  });
  return { tool, args };
}

function entries(reader: Reader, close: string, key: () => string, depth = 0): Record<string, unknown> {
  const found: [string, unknown][] = [];
  while (!reader.takes(close)) {
    if (found.length > 0) reader.must(',');
    if (reader.takes(close)) break;
    found.push([key(), value(reader, depth)]);
  }
  return Object.fromEntries(found);
}

const constants: Readonly<Record<string, unknown>> = {
  True: true,
  False: false,
  None: null,
  true: true,
  false: false,
  null: null,
};
const maxDepth = 32;

function value(reader: Reader, depth: number): unknown {
  if (depth > maxDepth) throw new NotPython();
  if (reader.takes('[')) {
    const items: unknown[] = [];
    while (!reader.takes(']')) {
      if (items.length > 0) reader.must(',');
      if (reader.takes(']')) break;
      items.push(value(reader, depth + 1));
    }
    return items;
  }
  if (reader.takes('{')) {
    const key = () => {
      const name = reader.text() ?? reader.fails();
      reader.must(':');
      return name;
    };
    return entries(reader, '}', key, depth + 1);
  }
  const literal = reader.text() ?? reader.number();
  if (literal !== null) return literal;
  const word = reader.word();
  return Object.hasOwn(constants, word) ? constants[word] : reader.fails();
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    this.#find(/\s*/y);
    return this.#at === this.#text.length;
  }
  takes(sign: string): boolean {
    this.#find(/\s*/y);
    if (!this.#text.startsWith(sign, this.#at)) return false;
    this.#at += sign.length;
    return true;
  }
  must(sign: string): void {
    if (!this.takes(sign)) this.fails();
  }
  word(): string {
    this.#find(/\s*/y);
    return this.#find(/[A-Za-z_][\w.-]*/y) ?? this.fails();
  }
  number(): number | null {
    const found = this.#find(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
    return found === null ? null : Number(found);
  }
  text(): string | null {
    this.#find(/\s*/y);
    const found =
      this.#find(/"""[\s\S]*?"""/y) ??
      this.#find(/'''[\s\S]*?'''/y) ??
      this.#find(/"(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*'/y);
    if (found === null) return null;
    const quotes = /^("""|'''|.)/.exec(found)![0].length;
    return found.slice(quotes, -quotes).replace(/\\(u[0-9a-fA-F]{4}|[\s\S])/g, (_, sign: string) => unescaped(sign));
  }
  fails(): never {
    throw new NotPython();
  }

  #find(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found) this.#at = pattern.lastIndex;
    return found?.[0] ?? null;
  }
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\n': '' };
function unescaped(sign: string): string {
  if (sign.length === 5) return String.fromCharCode(Number.parseInt(sign.slice(1), 16));
  if (Object.hasOwn(escapes, sign)) return escapes[sign]!;
  return /["'\\]/.test(sign) ? sign : `\\${sign}`;
}
