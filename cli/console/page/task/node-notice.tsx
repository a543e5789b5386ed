/** As parts/notice.tsx, where a node of an earlier version does not know the verb at all. */
import type { Asked } from '../asked.ts';
import { Notice } from '../parts/notice.tsx';

const isUnanswered = (error: string | null): boolean => error !== null && /no responders|503/i.test(error);

/** @param what such a node cannot do, as in `draw the machine of a task`. */
export const NodeNotice = ({ of, what }: { of: Asked<unknown>; what: string }) =>
  of.data.value === null && isUnanswered(of.error.value) ? (
    <p class="notice">
      No node can {what}: none is up, or each is too old for it.{' '}
      <button type="button" onClick={of.again}>
        Try again
      </button>
    </p>
  ) : (
    <Notice of={of} />
  );
