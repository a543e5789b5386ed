/** Reads the lines of an exported tree from a stranger's file. Each is bounded and checked. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { CoxError, codeOf, messageOf } from '../../platform/errors.ts';
import { describe } from '../parse-message.ts';
import { rootOf } from '../task-id.ts';
import { type ArchiveHead, ArchiveLine, archiveFormat, maxArchiveBytes, maxArchiveTasks, maxLineBytes } from './archive-lines.ts';

const bad = (what: string, hint = 'Export the tree again with `cox export`.', cause?: unknown) =>
  new CoxError('bad-archive', `The file is no tree that can be imported: ${what}`, { hint, cause });

export interface ReadLimits {
  readonly lineBytes: number;
  readonly allBytes: number;
}
const limits: ReadLimits = { lineBytes: maxLineBytes, allBytes: maxArchiveBytes };

/**
 * Yields the lines of a file, the first of which is the head and the last one the end. A reader that writes must have read to the
 * end once before.
 * @throws CoxError `bad-archive`; `bad-archive-format` for a file of a later format.
 */
export async function* archiveLines(file: string, within = limits): AsyncGenerator<ArchiveLine> {
  const hash = createHash('sha256');
  let head: ArchiveHead | null = null;
  let isOver = false;
  let count = 0;
  let tasks = 0;
  for await (const text of textLines(file, within)) {
    if (isOver) throw bad('something follows its last line');
    const line = lineOf(text, count, head);
    if (line.kind === 'head') {
      if (head) throw bad(`line ${count + 1} is a second head`);
      head = line;
    } else if (line.kind === 'end') {
      isOver = true;
      if (line.lines !== count || line.sha256 !== hash.digest('hex')) throw bad('its lines are not those that were written');
    } else checkOwner(line, head!, count);
    if (line.kind === 'record' && ++tasks > maxArchiveTasks) throw bad(`it has more than ${maxArchiveTasks} tasks`);
    if (!isOver) hash.update(`${text}\n`);
    count++;
    yield line;
  }
  if (!isOver) throw bad('its end is missing', 'Copy the file again: only a part of it is here.');
}

function lineOf(text: string, count: number, head: ArchiveHead | null): ArchiveLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw bad(`line ${count + 1} is not JSON`, undefined, cause);
  }
  const { kind, format } = (value ?? {}) as { kind?: unknown; format?: unknown };
  if (!head && kind !== 'head') throw bad('it does not begin with the head of a tree');
  if (kind === 'head' && typeof format === 'number' && format > archiveFormat)
    throw new CoxError('bad-archive-format', `The file has the format ${format}, and this version reads up to ${archiveFormat}`, {
      hint: 'Import it with the version of Coxswain that wrote it, or a later one.',
    });
  const parsed = ArchiveLine.safeParse(value);
  if (!parsed.success) throw bad(`line ${count + 1}: ${describe(parsed.error)}`);
  return parsed.data;
}

/** All lines are of the tree of the head. */
function checkOwner(line: ArchiveLine, { root }: ArchiveHead, count: number): void {
  const of = line.kind === 'record' ? line.record.id : line.kind === 'log' ? line.task : 'ref' in line ? line.ref : null;
  if (of !== null && rootOf(of) !== root) throw bad(`line ${count + 1} is of another tree`);
}

async function* textLines(file: string, { lineBytes, allBytes }: ReadLimits): AsyncGenerator<string> {
  const source = createReadStream(file);
  const unpacked = createGunzip();
  source.on('error', (cause) => unpacked.destroy(cause));
  source.pipe(unpacked);
  let rest: Buffer[] = [];
  let restBytes = 0;
  let all = 0;
  try {
    for await (const chunk of unpacked as AsyncIterable<Buffer>) {
      all += chunk.byteLength;
      if (all > allBytes) throw bad(`it unpacks to more than ${allBytes} bytes`);
      let from = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
        yield textOf(Buffer.concat([...rest, chunk.subarray(from, end)]));
        [rest, restBytes, from] = [[], 0, end + 1];
      }
      if (from < chunk.byteLength) rest.push(chunk.subarray(from));
      restBytes += chunk.byteLength - from;
      if (restBytes > lineBytes) throw bad(`a line has more than ${lineBytes} bytes`);
    }
    if (restBytes > 0) throw bad('its last line is not whole', 'Copy the file again: only a part of it is here.');
  } catch (cause) {
    if (cause instanceof CoxError) throw cause;
    if (['ENOENT', 'EISDIR', 'EACCES', 'ENOTDIR'].includes(codeOf(cause)))
      throw new CoxError('bad-file', `${file} cannot be read: ${messageOf(cause)}`, {
        hint: 'Name a file that `cox export` has written.',
        cause,
      });
    throw bad(
      `it is not gzip, or only a part of it (${messageOf(cause)})`,
      'Copy the file again, or export the tree again.',
      cause,
    );
  } finally {
    source.destroy();
    unpacked.destroy();
  }
}

function textOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw bad('it is not UTF-8', undefined, cause);
  }
}
