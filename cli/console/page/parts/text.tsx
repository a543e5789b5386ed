/** Text of others: isolated, so that its direction of writing does not reorder what stands beside it, and cleaned (text.ts). */
import { clean, line } from '../text.ts';

export const Line = ({ text, most }: { text: string; most?: number }) => <bdi>{line(text, most)}</bdi>;
export const Prose = ({ text }: { text: string }) => (
  <div class="prose" dir="auto">
    {clean(text)}
  </div>
);
