/** The end of a task as text for people. */
import { cutMarkIn } from '../../bus/cut-mark.ts';
import type { Result } from '../../bus/messages.ts';
import { beginningOf } from '../../platform/cut.ts';
import { isRefOfMade, madeLines } from './artifacts.ts';
import { effectsText, effectTexts } from './effects.ts';
import { usageText } from './figures.ts';
import type { Paint } from './paint.ts';
import { oneLine } from './printable.ts';

/** Most characters of one finding, and most findings, that are shown. The rest is counted. */
const mostChars = 400;
const mostShown = 20;
const mostKeys = 6;
const mostInLine = 3;

/** The salvage of a task that did not complete: findings, remaining work, and what it did. */
export function salvageLines(result: Result, paint: Paint): string[] {
  const { findings, remaining, artifacts, steps } = result.salvage;
  const why = result.failure ? `: ${cut(result.failure.message)} (${oneLine(result.failure.code)})` : '';
  const head = result.outcome === 'failed' ? paint.red('failed') : paint.yellow(result.outcome);
  const isGoal = result.type === 'supervisor';
  return [
    `${paint.bold(result.id)} ${head} after ${steps} ${steps === 1 ? 'step' : 'steps'}${why}`,
    ...listed('found so far', isGoal ? bySameText(findings) : findings, result.id),
    ...listed('left to do', isGoal ? bySameText(remaining?.split('\n') ?? []) : [remaining ?? []].flat(), result.id),
    ...(result.failure?.code === 'poison' ? ['  it is a dead letter: cox dead lists it, cox dead retry runs it again'] : []),
    ...(result.effects
      ? effectTexts(result, paint, mostShown).map((text) => `  ${text}`)
      : artifacts.filter((name) => !isRefOfMade(name)).map((artifact) => `  wrote ${oneLine(artifact, 400)}`)),
    ...madeLines(result.id, artifacts, paint).map((line) => `  ${line}`),
  ];
}

function listed(title: string, items: readonly string[], id: string): string[] {
  if (items.length === 0) return [];
  if (items.length === 1) return [`  ${title}: ${cut(items[0]!)}`];
  const hidden = items.length - mostShown;
  return [
    `  ${title}:`,
    ...items.slice(0, mostShown).map((item) => `  - ${cut(item)}`),
    ...(hidden > 0 ? [`  and ${hidden} more: cox result ${id} --json has all`] : []),
  ];
}

/** One line; where it is cut, it says by how much. */
function cut(text: string): string {
  const line = oneLine(text, Number.POSITIVE_INFINITY);
  const kept = beginningOf(line, mostChars);
  const hidden = line.length - kept.length;
  return hidden > 0 ? `${kept.trimEnd()} … (${hidden.toLocaleString('en')} more characters)` : line;
}

/** The findings of a goal are `<key>: <text>`. Sub-tasks with the same text share a line: `a, b, c: stopped`. */
function bySameText(items: readonly string[]): string[] {
  const keys = new Map<string, string[]>();
  for (const item of items) {
    const [, key = null, text = item] = /^([A-Za-z0-9][\w.-]{0,63}): ([\s\S]*)$/.exec(item) ?? [];
    keys.set(text, [...(keys.get(text) ?? []), ...(key === null ? [] : [key])]);
  }
  return [...keys].map(([text, named]) => (named.length === 0 ? text : `${some([...new Set(named)])}: ${text}`));
}

const some = (keys: readonly string[]): string =>
  keys.slice(0, mostKeys).join(', ') + (keys.length > mostKeys ? ` and ${keys.length - mostKeys} more` : '');

/** Lines about the effects and the artifacts of a completed task, for stderr, below its answer. */
export const doneLines = (result: Result, paint: Paint): string[] => {
  const done = effectsText(result, paint, mostShown);
  return [...(done === '' ? [] : [`${paint.bold(result.id)} ${done}`]), ...madeLines(result.id, result.salvage.artifacts, paint)];
};

/** One line about the end of a task. */
export function endLine(result: Result, paint: Paint): string {
  const used = usageText(result.usage);
  const what = result.outcome === 'completed' ? oneLine(result.output ?? '', 100) : oneLine(result.failure?.message ?? '', 160);
  const cut = result.outcome === 'completed' ? cutMarkIn(result.output ?? '') : null;
  // What was denied, failed or cut is no reason for a tick, whatever the answer says.
  const isWhole = cut === null && (result.effects ?? []).every((effect) => effect.outcome === 'done');
  const marks = {
    completed: isWhole ? paint.green('✓') : paint.yellow('!'),
    failed: paint.red('✗'),
    cancelled: paint.yellow('∅'),
  };
  const mark = marks[result.outcome];
  const outcome =
    result.outcome === 'completed'
      ? cut === null
        ? ''
        : paint.yellow(` incomplete (${oneLine(cut, 40)})`)
      : ` ${result.outcome}`;
  const done = effectsText(result, paint, mostInLine);
  return `${mark} ${paint.bold(result.id)}${outcome}${used && paint.dim(` (${used})`)}${done && ` · ${done}`}${what && `: ${what}`}`;
}
