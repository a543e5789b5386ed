/** The line above the prompt that says how much is under way. It is drawn at most once per `frameMs`, however many events come. */
import type { Usage } from '../../bus/messages.ts';
import { usageText } from '../render/figures.ts';
import type { Paint } from '../render/paint.ts';

/** Unfinished tasks, and what the tasks of this session have used. */
export interface Figures {
  readonly running: number;
  readonly waiting: number;
  readonly usage: Usage;
}

const frameMs = 100;

/** Empty when nothing is under way. */
export function statusLineText({ running, waiting, usage }: Figures, paint: Paint): string {
  if (running + waiting === 0) return '';
  const parts = [
    paint.dim(`${running} running`),
    waiting > 0 ? paint.yellow(`${waiting} ${waiting === 1 ? 'waits' : 'wait'} for you`) : '',
    usageText(usage) && paint.dim(usageText(usage)),
  ];
  return parts.filter((part) => part !== '').join(paint.dim(' · '));
}

export class StatusLine {
  readonly #show: () => void;
  #frame: NodeJS.Timeout | null = null;

  constructor(show: () => void) {
    this.#show = show;
  }

  changed(): void {
    this.#frame ??= setTimeout(() => {
      this.#frame = null;
      this.#show();
    }, frameMs);
  }

  stop(): void {
    if (this.#frame) clearTimeout(this.#frame);
  }
}
