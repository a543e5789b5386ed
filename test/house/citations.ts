/** Which rules of docs/task-protocol.md and which promises of docs/architecture.md there are, and where the sources cite them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Citation {
  readonly file: string;
  readonly line: number;
  /** A rule's id, or a promise's letter. */
  readonly name: string;
}

/** Ids of the rules, each with the text below its heading. */
export const rulesOf = (page: string): ReadonlyMap<string, string> =>
  new Map(
    page
      .split(/^(?=###? )/m)
      .flatMap((part) => [...part.matchAll(/^### `(?<id>[a-z][a-z-]*)`\n(?<text>[\s\S]*)/g)])
      .map(({ groups }) => [groups!.id!, groups!.text!]),
  );

/** Letters of the promises: the list below the heading `Promises`. */
export const promisesOf = (page: string): ReadonlySet<string> => {
  const [, list = ''] = /^## Promises\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(page) ?? [];
  return new Set([...list.matchAll(/^- (?<letter>[A-Z])\. /gm)].map(({ groups }) => groups!.letter!));
};

/** Test files that a rule's text names. */
export const testsNamedIn = (text: string): string[] => [...text.matchAll(/`(test\/[^` ]+)`/g)].map(([, path]) => path!);

/** Comments of a source, line by line: block comments, and line comments that stand alone. */
function commentLines(source: string): { readonly line: number; readonly text: string }[] {
  let isInside = false;
  return source.split('\n').flatMap((text, i) => {
    const starts = /^\s*\/\*/.test(text);
    const isComment = isInside || starts || /^\s*\/\//.test(text);
    if (starts) isInside = true;
    if (text.includes('*/')) isInside = false;
    return isComment ? [{ line: i + 1, text }] : [];
  });
}

const named = (text: string) => [...text.matchAll(/`([a-z][a-z-]*)`/g)].map(([, id]) => id!);

/** ``rule `claim` ``, ``rules `claim`, `fencing` and `park` ``; the list may go on in the next line of the comment. */
export function ruleCitations(file: string, source: string): Citation[] {
  const lines = commentLines(source);
  return lines.flatMap(({ line, text }, i) => {
    const next = lines[i + 1];
    const continued = next?.line === line + 1 ? ` ${next.text.replace(/^\s*(?:\*|\/\/) /, '')}` : '';
    return [...`${text}${continued}`.matchAll(/\b[Rr]ules? ((?:`[a-z-]+`(?:, | and )?)+)/g)]
      .filter(({ index }) => index < text.length)
      .flatMap(([, list]) => named(list!).map((name) => ({ file, line, name })));
  });
}

/** A letter that opens a line of a comment (`A. …`), stands in parentheses (`(G)`, `(A, C)`), or follows the word promise. */
export const promiseCitations = (file: string, source: string): Citation[] =>
  commentLines(source).flatMap(({ line, text }) =>
    [
      ...text.matchAll(/^\s*(?:\/\*\*|\*|\/\/) (?<letters>[A-Z])\. /g),
      ...text.matchAll(/\((?<letters>[A-Z](?:, [A-Z])*)(?:[:,;] [^)]*)?\)/g),
      ...text.matchAll(/\bpromises? (?<letters>[A-Z](?:, [A-Z])*)\b/g),
    ].flatMap(({ groups }) => groups!.letters!.split(', ').map((name) => ({ file, line, name }))),
  );

/** Every TypeScript file below these folders, relative to the root. */
export const filesBelow = (root: string, folders: readonly string[]): string[] =>
  folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name)),
  );

export const read = (root: string, file: string): string => readFileSync(join(root, file), 'utf8');
export const exists = (root: string, file: string): boolean => existsSync(join(root, file));
