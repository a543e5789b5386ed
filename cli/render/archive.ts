/** Lines about an export and an import. */
import type { Exported } from '../../bus/archive/export-tree.ts';
import type { Imported } from '../../bus/archive/import-tree.ts';
import { byteCount } from './figures.ts';
import type { Paint } from './paint.ts';
import { oneLine } from './printable.ts';

const mostPlaces = 20;

export function exportedLines(
  { id, file, bytes, tasks, messages, artifacts, redacted }: Exported & { id: string; file: string; bytes: number },
  paint: Paint,
): string[] {
  return [
    `${paint.bold(oneLine(file, 400))} (${byteCount(bytes)}) has ${oneLine(id, 80)}: ${plural(tasks, 'task')}, ${plural(messages, 'message')}, ${plural(artifacts, 'artifact')}.`,
    ...redactedLines(redacted, paint),
    'A secret that has no form of its own, such as a password in a sentence, is not recognized: look through the file before you hand it on (gzip -cd).',
  ];
}

export function importedLines(
  { id, was, tasks, artifacts, unfinished, coxswain, at, redacted }: Imported,
  paint: Paint,
): string[] {
  return [
    `${paint.bold(oneLine(id, 80))} has ${plural(tasks, 'task')} and ${plural(artifacts, 'artifact')}, exported at ${oneLine(at, 40)} by Coxswain ${oneLine(coxswain, 40)}.`,
    ...(id === was ? [] : [`It was ${oneLine(was, 80)}: there are other tasks with that id here.`]),
    ...(unfinished > 0 ? [`${plural(unfinished, 'task')} had not ended, and cannot go on here.`] : []),
    ...redactedLines(redacted, paint),
    `It never runs. cox replay ${oneLine(id, 80)} walks its steps.`,
  ];
}

function redactedLines(places: readonly string[], paint: Paint): string[] {
  if (places.length === 0) return ['No secret was found in it.'];
  const more = places.length - mostPlaces;
  return [
    paint.yellow(`Secrets were masked in ${plural(places.length, 'place')}:`),
    ...places.slice(0, mostPlaces).map((place) => `  ${oneLine(place, 200)}`),
    ...(more > 0 ? [`  and ${more} more: --json names all`] : []),
  ];
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
