import { expect, it } from 'vitest';
import { ComplaintLimit } from '../../platform/complaint-limit.ts';

it('the first complaint of the next minute tells how many were left out', () => {
  const limit = new ComplaintLimit();
  const verdicts = Array.from({ length: 50 }, (_, n) => limit.judge('refused', n));
  expect(verdicts.filter(({ isWritten }) => isWritten)).toHaveLength(20);
  expect(verdicts[19]).toEqual({ isWritten: true, leftOut: 0, isLast: true });
  expect(limit.judge('refused', 60_000)).toEqual({ isWritten: true, leftOut: 30, isLast: false });
  expect(limit.judge('refused', 60_001)).toEqual({ isWritten: true, leftOut: 0, isLast: false });
});

it('one kind of complaint leaves others their lines', () => {
  const limit = new ComplaintLimit();
  for (let n = 0; n < 50; n++) limit.judge('refused', n);
  expect(limit.judge('lost', 50)).toMatchObject({ isWritten: true });
});
