/** Lines of `cox inspect`: one for each event of a machine and each state that it comes to. */
import type { Inspected } from '../../bus/inspect/inspection-messages.ts';
import type { Paint } from './paint.ts';
import { oneLine } from './printable.ts';

/** @param before the state that the last line of the same task told; a state that is the same is not told again. */
export function inspectedLines(message: Inspected, before: string | undefined, paint: Paint): string[] {
  const { task, actor, skipped, past } = message;
  const who = oneLine(actor === undefined ? task : `${task} ${actor}`);
  const head = past ? paint.dim(`${shortTime(message.at)} ${who}`) : `${paint.dim(shortTime(message.at))} ${paint.bold(who)}`;
  const more = skipped === undefined ? [] : [paint.dim(`  (${skipped} more left out)`)];
  if (message.type === '@xstate.event') {
    const from = message.source === undefined ? '' : paint.dim(` from ${oneLine(message.source)}`);
    const why = 'why' in message.event && typeof message.event.why === 'string' ? `: ${oneLine(message.event.why, 200)}` : '';
    return [...more, `${head} ${paint.dim('←')} ${oneLine(message.event.type)}${from}${why}`];
  }
  const state = stateText(message);
  if (message.type === '@xstate.actor') {
    const begins = actor === undefined ? `is at ${paint.cyan(state)}` : 'begins';
    return [...more, `${head} ${begins}`];
  }
  return state === before || actor !== undefined ? more : [...more, `${head} ${paint.dim('=')} ${paint.cyan(state)}`];
}

/** `running.thinking` for `{ running: 'thinking' }`; the status for what has no states. */
export function stateText({ snapshot }: Exclude<Inspected, { type: '@xstate.event' }>): string {
  const text = (value: unknown): string[] => {
    if (typeof value === 'string') return [value];
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, inner]) => {
      const below = text(inner);
      return below.length === 0 ? [key] : below.map((each) => `${key}.${each}`);
    });
  };
  const states = text(snapshot.value);
  return oneLine(states.length === 0 ? snapshot.status : states.join(', '), 120);
}

/** Of a time that a schema has checked. */
const shortTime = (at: string): string => at.slice(11, 19);
