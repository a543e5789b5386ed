/** What an undo would do, for people. */
import type { UndoPlan } from '../../bus/undo.ts';
import type { Paint } from './paint.ts';
import { oneLine } from './printable.ts';

type Change = UndoPlan['files'][number]['changes'][number];

/** A line for each change, newest first, then what cannot be undone. */
export function undoLines({ of, files, left }: UndoPlan, paint: Paint): string[] {
  const rows = files.flatMap(({ path, changes }) =>
    changes.map(
      (change) => `  ${verbOf(change, paint)} ${paint.bold(oneLine(path, 400))}${numbers(change)} ${place(change, paint)}`,
    ),
  );
  const stays = left.map(
    (row) => `  ${paint.yellow('leave')} ${oneLine(row.target, 400)}: ${oneLine(row.why, 200)} ${place(row, paint)}`,
  );
  if (rows.length === 0)
    return [`Nothing to undo: ${of} has changed no file${left.length > 0 ? ' that can be restored' : ''}.`, ...stays];
  return [`To undo ${paint.bold(of)}:`, ...rows, ...stays];
}

const verbOf = ({ before, after }: Change, paint: Paint): string =>
  before === null ? paint.red('remove') : paint.green(after === null ? 'bring back' : 'restore');

/** An undo adds the lines that the change removed. */
const numbers = ({ added, removed }: Change): string =>
  added === undefined || removed === undefined ? '' : ` (+${removed} −${added})`;

const place = ({ task, step }: { task: string; step: number }, paint: Paint): string => paint.dim(`(${task}, step ${step})`);
