import type { DeadlineInput } from '../../machines/sub-agent.ts';
import type { Effect } from './effect.ts';

/** The longest delay that setTimeout takes, in ms. After it, a later deadline is checked again. */
const maxDelayMs = 2 ** 31 - 1;

/** Sends DEADLINE_PASSED at an absolute time, or at once if that time has passed. A task without a deadline gets no timer. */
export const deadline =
  (now: () => Date): Effect<DeadlineInput> =>
  ({ input: { at }, sendBack }) => {
    if (at === null) return;
    let timer: NodeJS.Timeout | undefined;
    const wait = () => {
      const left = at - now().getTime();
      if (left <= 0) return sendBack({ type: 'DEADLINE_PASSED' });
      timer = setTimeout(wait, Math.min(left, maxDelayMs));
    };
    wait();
    return () => clearTimeout(timer);
  };
