/** Reads a roster file. Errors name file, line, column and the expected value; they never repeat the value of `key`. */
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { codeOf, messageOf } from '../platform/errors.ts';
import { readSmall, readSmallStdin } from '../platform/small-file.ts';
import { notUtf, utfYaml } from '../platform/utf-text.ts';
import { protoKey, withoutExtras } from '../platform/yaml-extras.ts';
import type { Backend } from './backend-schema.ts';
import { RosterError, type RosterProblem } from './errors.ts';
import { shippedRoster, stdinRoster } from './find-roster.ts';
import { type Roster, RosterFile } from './schema.ts';
import { positionOf } from './yaml-position.ts';

const maxBytes = 1_048_576;
const mostProblems = 20;

/** @throws RosterError `roster-missing`, `roster-unreadable`, `roster-invalid`. */
export async function loadRoster(file: string): Promise<Roster> {
  // Relative paths in a roster from stdin start where the command runs.
  const roster = parseRoster(await read(file), file === stdinRoster ? resolve('stdin') : file);
  if (file === shippedRoster.file) return roster;
  const shipped = parseRoster(await read(shippedRoster.file), shippedRoster.file);
  return { ...roster, agents: { ...shipped.agents, ...roster.agents } };
}

/**
 * Checks the text of a roster, without adding the shipped agents. Relative paths in it start at the folder of `file`.
 * @throws RosterError `roster-invalid`.
 */
export function parseRoster(text: string, file: string): Roster {
  const lines = new LineCounter();
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  if (doc.errors.length > 0)
    throw invalid(
      file,
      doc.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return { line, column: col, path: '', message: error.message };
      }),
    );
  let value: unknown;
  let proto: readonly string[] | null;
  try {
    value = doc.toJS();
    proto = protoKey(value);
  } catch (error) {
    // For example, aliases that expand without end.
    throw invalid(file, [{ line: 1, column: 1, path: '', message: messageOf(error) }]);
  }
  if (proto) {
    const path = proto.slice(0, -1);
    throw invalid(file, [
      { ...positionOf(doc, lines, path, '__proto__'), path: path.join('.'), message: 'not a good name: __proto__' },
    ]);
  }
  const checked = RosterFile.safeParse(withoutExtras(value ?? {}, hasNames));
  if (checked.success) return withAbsolutePaths(checked.data, dirname(file));
  const problems = checked.error.issues.map((issue): RosterProblem => {
    const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    const place = positionOf(doc, lines, issue.path, unknownKey);
    return { ...place, path: issue.path.map(String).join('.'), message: sentence(issue) };
  });
  throw invalid(file, problems);
}

/** Mappings whose keys are names. In all others a key that begins with `x-` means nothing. */
const hasNames = (path: readonly string[]): boolean => path.length === 1 && ['backends', 'agents'].includes(path[0]!);

/** The texts of rosters that came through a pipe or from stdin, which can be read only once. */
const piped = new Map<string, Promise<Buffer>>();

async function bytesOf(file: string): Promise<Buffer> {
  const isStdin = file === stdinRoster;
  if (!isStdin && !(await stat(file)).isFIFO()) return readSmall(file, maxBytes);
  const reading = piped.get(file) ?? (isStdin ? readSmallStdin(maxBytes) : readSmall(file, maxBytes));
  piped.set(file, reading);
  return reading;
}

async function read(file: string): Promise<string> {
  try {
    return utfYaml(await bytesOf(file));
  } catch (error) {
    if (codeOf(error) === 'ENOENT')
      throw new RosterError('roster-missing', file, `The roster is not there: ${file}`, [], {
        hint: 'Create the file, or name another one.',
        cause: error,
      });
    const why = error instanceof TypeError ? notUtf : messageOf(error);
    throw new RosterError('roster-unreadable', file, `The roster cannot be read: ${file} (${why})`, [], {
      hint: 'Make it a readable file, or name another one.',
      cause: error,
    });
  }
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_key') return `not a good name: ${issue.issues.map((it) => it.message).join('; ')}`;
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined')) return `missing: expected ${issue.expected}`;
  return issue.message.replace(/^Invalid (input|option|string): /, '');
}

function invalid(file: string, all: readonly RosterProblem[]): RosterError {
  const problems = all.toSorted((a, b) => a.line - b.line || a.column - b.column);
  const shown = problems
    .slice(0, mostProblems)
    .map((it) => `${file}:${it.line}:${it.column}: ${it.path ? `${it.path}: ` : ''}${it.message}`);
  const more = problems.length > mostProblems ? [`… and ${problems.length - mostProblems} more`] : [];
  return new RosterError('roster-invalid', file, [...shown, ...more].join('\n'), problems, {
    hint: 'Correct the file; docs/roster.md describes every key.',
  });
}

function withAbsolutePaths(roster: Roster, folder: string): Roster {
  const absolute = (path: string): string => (path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(folder, path));
  const entries = Object.entries(roster.backends).map(([name, backend]): [string, Backend] => {
    if (backend.kind === 'openai' && backend.key.from === 'file')
      return [name, { ...backend, key: { from: 'file', path: absolute(backend.key.path) } }];
    // A bare word, such as `small`, is the name of a model and not a path.
    if (backend.kind === 'embedded' && /[\\/]|\.gguf$/i.test(backend.model))
      return [name, { ...backend, model: absolute(backend.model) }];
    return [name, backend];
  });
  return { ...roster, backends: Object.fromEntries(entries) };
}
