import type { DeadlineInput } from '../../machines/sub-agent.ts';
import type { Effect } from './effect.ts';

/** setTimeout's longest delay; a later deadline is looked at again then. */
const maxDelayMs = 2 ** 31 - 1;

/** Says DEADLINE_PASSED at an absolute time, also when that was while nobody looked. Most tasks have none: then there is nothing to end. */
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
