/** What a task did, as text for people: `wrote a.txt (+12 −3), denied: write_file b.txt`. The words are those of the reducer. */
import type { Effect } from '../../bus/messages.ts';
import { effectWords } from '../../machines/effects.ts';
import type { Paint } from './paint.ts';
import { oneLine } from './printable.ts';

interface Listed {
  readonly effects?: readonly Effect[] | undefined;
  readonly effectsLeftOut?: number | undefined;
}

const colourOf = ({ outcome }: Effect, paint: Paint): ((text: string) => string) =>
  ({ done: (text: string) => text, denied: paint.yellow, failed: paint.red, 'in-doubt': paint.yellow })[outcome];

/** Each effect in words, at most `most`, and the number of those that are left out. */
export function effectTexts({ effects = [], effectsLeftOut = 0 }: Listed, paint: Paint, most: number): string[] {
  const shown = effects.slice(-most);
  const hidden = effects.length - shown.length + effectsLeftOut;
  return [
    ...shown.map((effect) => colourOf(effect, paint)(oneLine(effectWords(effect), 160))),
    ...(hidden > 0 ? [`${hidden} more`] : []),
  ];
}

/** All in one line. Empty for a result of an earlier version, which has no list. */
export const effectsText = (listed: Listed, paint: Paint, most: number): string =>
  listed.effects === undefined ? '' : effectTexts(listed, paint, most).join(', ') || paint.dim('changed nothing');
