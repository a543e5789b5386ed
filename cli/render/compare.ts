/** Two tasks side by side, for people. */
import type { Comparison, FileEnd, Side } from '../../bus/journal/compare.ts';
import { usageText } from './figures.ts';
import type { Paint } from './paint.ts';
import { oneLine, printable } from './printable.ts';

const mostRows = 40;

export function comparisonLines({ a, b, isSameAnswer, files }: Comparison, paint: Paint): string[] {
  return [
    sideLine('A', a, paint),
    sideLine('B', b, paint),
    ...(isSameAnswer
      ? [paint.bold('The answers are the same:'), ...answerRows(a)]
      : [paint.bold('Answer of A:'), ...answerRows(a), paint.bold('Answer of B:'), ...answerRows(b)]),
    ...(files.length === 0 ? ['Neither has changed a file.'] : [paint.bold('Files:')]),
    ...files.map(({ path, a: of, b: other, isSame }) => {
      const both = of && other ? (isSame ? ': the same content' : `: ${paint.yellow('different')}`) : '';
      return `  ${oneLine(path, 400)}: A ${fileText(of)}, B ${fileText(other)}${both}`;
    }),
  ];
}

function sideLine(name: string, { id, type, state, outcome, backends, steps, usage, tookMs }: Side, paint: Paint): string {
  const words = [
    oneLine(type, 40),
    outcome ?? oneLine(state, 40),
    ...(backends.length > 0 ? [`on ${oneLine(backends.join(', '), 120)}`] : []),
    `${steps} ${steps === 1 ? 'step' : 'steps'}`,
    usageText(usage),
    tookMs === null ? '' : `${(tookMs / 1_000).toFixed(1)} s`,
  ];
  return `${paint.bold(`${name} ${oneLine(id, 80)}`)} ${words.filter(Boolean).join(', ')}`;
}

function answerRows({ answer }: Side): string[] {
  if (answer === null) return ['  │ (none)'];
  const rows = printable(answer).split('\n');
  const more = rows.length - mostRows;
  return [...rows.slice(0, mostRows).map((row) => `  │ ${row}`), ...(more > 0 ? [`  │ … ${more} more lines`] : [])];
}

const fileText = (end: FileEnd | null): string =>
  end === null ? 'nothing' : `${end.sha256 === null ? 'deleted' : oneLine(end.kind, 20)} (+${end.added} −${end.removed})`;
