import type { DeadlineInput } from '../machines/sub-agent.ts';
import { effect } from './effect.ts';

/** setTimeout's longest delay; a later deadline is looked at again then. */
const maxDelayMs = 2 ** 31 - 1;

/** Says DEADLINE_PASSED at an absolute time, also when that was while nobody looked. */
export const deadline = (now: () => Date) =>
  effect<DeadlineInput, { type: 'DEADLINE_PASSED' }>(
    async ({ at }, say, signal) => {
      if (at === null) return;
      const wait = () => {
        const left = at - now().getTime();
        if (left <= 0) return say({ type: 'DEADLINE_PASSED' });
        const timer = setTimeout(wait, Math.min(left, maxDelayMs));
        signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
      };
      wait();
    },
    () => ({ type: 'DEADLINE_PASSED' }),
  );
