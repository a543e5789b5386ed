/** Words of the page to its operator: shown for a while at the foot of the page, and read out by a screen reader. */
import { signal } from '@preact/signals';

export interface Said {
  readonly id: number;
  readonly text: string;
  readonly tone: 'plain' | 'good' | 'bad';
}

export const sayings = signal<readonly Said[]>([]);
const shownMs = 8_000;
const most = 4;
let last = 0;

export function say(text: string, tone: Said['tone'] = 'plain'): void {
  const said = { id: ++last, text, tone };
  sayings.value = [...sayings.value, said].slice(-most);
  setTimeout(() => {
    sayings.value = sayings.value.filter(({ id }) => id !== said.id);
  }, shownMs);
}
