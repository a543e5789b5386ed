/** The end of a task as text for people. */
import type { Result } from '../../bus/messages.ts';
import { usageText } from './figures.ts';
import type { Paint } from './paint.ts';
import { oneLine, printable } from './printable.ts';

/** The salvage of a task that did not complete: findings, remaining work and written files. */
export function salvageText(result: Result, paint: Paint): string {
  const { findings, remaining, artifacts, steps } = result.salvage;
  const why = result.failure ? `: ${printable(result.failure.message)} (${result.failure.code})` : '';
  const head = result.outcome === 'failed' ? paint.red('failed') : paint.yellow(result.outcome);
  return [
    `${paint.bold(result.id)} ${head} after ${steps} ${steps === 1 ? 'step' : 'steps'}${why}`,
    ...(findings.length > 0 ? ['  found so far:', ...findings.map((finding) => `  - ${oneLine(finding, 400)}`)] : []),
    ...(remaining ? [`  left to do: ${oneLine(remaining, 400)}`] : []),
    ...(result.failure?.code === 'poison' ? ['  it is a dead letter: cox dead lists it, cox dead retry runs it again'] : []),
    ...artifacts.map((artifact) => `  wrote ${printable(artifact)}`),
  ].join('\n');
}

/** One line about the end of a task. */
export function endLine(result: Result, paint: Paint): string {
  const mark = { completed: paint.green('✓'), failed: paint.red('✗'), cancelled: paint.yellow('∅') }[result.outcome];
  const used = usageText(result.usage);
  const what = result.outcome === 'completed' ? oneLine(result.output ?? '', 100) : oneLine(result.failure?.message ?? '', 160);
  const outcome = result.outcome === 'completed' ? '' : ` ${result.outcome}`;
  return `${mark} ${paint.bold(result.id)}${outcome}${used && paint.dim(` (${used})`)}${what && `: ${what}`}`;
}
