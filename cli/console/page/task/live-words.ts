/** The words of a task as they come: tokens of the model and output of tools. They are kept while the page is open, and bounded. */
import { type Signal, signal } from '@preact/signals';
import type { Live } from '../../../../bus/messages.ts';
import { endingOf } from '../../../../platform/cut.ts';
import { onFrame } from '../frame.ts';
import { listen } from '../link.ts';

export interface LiveWords {
  readonly step: number;
  readonly text: string;
  /** Output of the tool that runs, by its name. */
  readonly tool: { readonly name: string; readonly text: string } | null;
}

/** Characters that are kept of a step; the journal has the whole reply once it is there. */
const mostChars = 60_000;

/** @returns the words, and a function that ends them. */
export function liveWords(task: string): { words: Signal<LiveWords | null>; stop: () => void } {
  const words = signal<LiveWords | null>(null);
  let next: LiveWords | null = null;
  const show = () => {
    words.value = next;
  };
  const stop = listen(`live.${task}`, (message) => {
    const live = message as Live;
    if (typeof live?.text !== 'string' || typeof live.step !== 'number') return;
    const before: LiveWords = next?.step === live.step ? next : { step: live.step, text: '', tool: null };
    if (live.type === 'token') next = { ...before, text: endingOf(before.text + live.text, mostChars) };
    else if (live.type === 'tool') {
      const same = before.tool?.name === live.tool ? before.tool.text : '';
      next = { ...before, tool: { name: String(live.tool), text: endingOf(same + live.text, mostChars) } };
    }
    onFrame(show);
  });
  return { words, stop };
}
