/** Artifacts as lines for people. */
import type { ArtifactRow } from '../../bus/messages.ts';
import type { TaskId } from '../../bus/task-id.ts';
import { byteCount } from './figures.ts';
import type { Paint } from './paint.ts';
import { oneLine } from './printable.ts';
import { timeAndAge } from './times.ts';

const words = { made: 'made', result: 'result', preview: 'shown', replaced: 'replaced' } as const;

/** @param command the command that reads one: `cox artifacts get`. */
export function artifactLines(rows: readonly ArtifactRow[], id: TaskId, now: Date, paint: Paint, command: string): string[] {
  if (rows.length === 0) return [`${id} has no artifacts.`];
  return [...rows.map((row) => artifactLine(row, now, paint)), paint.dim(`${command} <ref> writes one into a file.`)];
}

function artifactLine({ ref, kind, name, type, bytes, sha256, step, at, damaged }: ArtifactRow, now: Date, paint: Paint): string {
  const what = sha256 === null ? 'there was no file' : byteCount(bytes);
  return [
    paint.bold(oneLine(ref, 200)),
    words[kind],
    ...(name === null ? [] : [oneLine(name, 80)]),
    ...(type === null ? [] : [oneLine(type, 80)]),
    damaged ? paint.red('damaged') : what,
    ...(step === null ? [] : [`step ${step}`]),
    paint.dim(timeAndAge(at, now)),
  ].join('  ');
}

export const savedLine = ({ file, type, bytes, sha256 }: Saved, paint: Paint): string =>
  `${paint.bold(oneLine(file, 4_096))}  ${oneLine(type, 80)}  ${byteCount(bytes)}  ${paint.dim(`sha256 ${oneLine(sha256 ?? '', 64)}`)}`;
interface Saved extends Pick<ArtifactRow, 'bytes' | 'sha256'> {
  readonly file: string;
  readonly type: string;
}

/** One line for all that the calls of a task or of a goal have stored, with the first refs. Empty if they have stored nothing. */
export function madeLines(id: TaskId, artifacts: readonly string[], paint: Paint): string[] {
  const refs = artifacts.filter(isRefOfMade);
  if (refs.length === 0) return [];
  const shown = refs.slice(0, mostRefs).map((ref) => oneLine(ref, 120));
  const more = refs.length > shown.length ? ` and ${refs.length - shown.length} more` : '';
  return [`${paint.bold(oneLine(id, 64))} made ${shown.join(', ')}${more} ${paint.dim(`(cox artifacts ${oneLine(id, 64)})`)}`];
}
const mostRefs = 3;

export const isRefOfMade = (name: string): boolean => /^[^\s/]{1,64}\/[\w-]{1,64}\/made-\d{1,6}$/.test(name);
