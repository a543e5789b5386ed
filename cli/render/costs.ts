/** Costs in a table: what each row is about, tokens, dollars, and what the same tokens would have cost at the reference. */
import type { Costs } from '../../bus/costs/costs.ts';
import type { CostRow } from '../../bus/messages.ts';
import { dollars, tokens } from './figures.ts';
import type { Paint } from './paint.ts';
import { oneLine } from './printable.ts';

const maxNameChars = 48;

export function costLines({ rows, total, more, reference }: Costs, paint: Paint): string[] {
  if (rows.length === 0) return ['Nothing was spent.'];
  const names = rows.map(namesOf);
  const columns = Math.max(1, ...names.map((cells) => cells.length));
  const figures = ['tokens in', 'out', 'cost', ...(reference ? ['at reference', 'saved'] : [])];
  const head = [...Array.from({ length: columns }, () => ''), ...figures];
  const filled = (cells: readonly string[]) => Array.from({ length: columns }, (_, i) => cells[i] ?? '');
  const cells = [...rows.map((row, i) => [...filled(names[i]!), ...figuresOf(row)]), [...filled(['all']), ...figuresOf(total)]];
  const widths = head.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i < columns ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  const isEstimated = total.estimatedUsd !== undefined;
  return [
    paint.dim(line(head)),
    ...cells.slice(0, -1).map(line),
    ...(more > 0 ? [paint.dim(`and ${more} more`)] : []),
    paint.bold(line(cells.at(-1)!)),
    ...(isEstimated ? [paint.dim('≤: at most; it has calls without a bill, which count at their worst case')] : []),
    ...(reference
      ? [paint.dim(`Reference: $${reference.input} in, $${reference.output} out per million tokens. ≈: an estimate.`)]
      : []),
  ];
}

/** A cell for each thing that the row is about. */
function namesOf({ day, root, goal, backend, kind }: CostRow): string[] {
  const about = root === undefined ? undefined : `${root}${goal ? ` “${oneLine(goal, maxNameChars)}”` : ''}`;
  return [day, about, backend, kind].filter((it) => it !== undefined).map((it) => oneLine(it, maxNameChars + 20));
}

function figuresOf({ inputTokens, outputTokens, costUsd, estimatedUsd, referenceUsd, savedUsd }: CostRow): string[] {
  const compared = referenceUsd === undefined ? [] : [`≈${money(referenceUsd)}`, `≈${money(savedUsd ?? 0)}`];
  return [tokens(inputTokens), tokens(outputTokens), `${estimatedUsd === undefined ? '' : '≤'}${money(costUsd)}`, ...compared];
}

const money = (usd: number): string => (usd < 0 ? `-${dollars(-usd)}` : dollars(usd) || '$0');
