/** Lines about the files of a task that is forked. */
import type { FilesOfStep, Written } from '../fork-files.ts';
import type { Paint } from './paint.ts';
import { oneLine } from './printable.ts';

export function fileLines({ files }: Pick<FilesOfStep, 'files'>, step: number, paint: Paint): string[] {
  const other = files.filter(({ isSame }) => isSame !== true);
  if (other.length === 0) return [];
  return [
    `Files that are not as they were at step ${step}, which the fork finds as they are now:`,
    ...other.map(
      ({ path, isSame }) => `  ${paint.bold(oneLine(path, 400))}${isSame === null ? ' (it cannot be told here)' : ''}`,
    ),
  ];
}

export const writtenLines = ({ written, left }: Written, folder: string, paint: Paint): string[] => [
  `${written.length} ${written.length === 1 ? 'file is' : 'files are'} in ${paint.bold(oneLine(folder, 400))}, where the fork works.`,
  ...left.map(({ path, why }) => `  ${paint.yellow('not there')} ${oneLine(path, 400)}: ${oneLine(why, 200)}`),
];
