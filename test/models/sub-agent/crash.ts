import type { CrashSense } from '../crash.ts';
import type { ModelEvent } from './alphabet.ts';
import type { Observation } from './observation.ts';

/**
 * The part that must be the same after a crash: the outcome, whether there is an answer, and the fates of the path’s steers. The
 * answer’s text may differ: a repeated call sees corrections that were queued meanwhile, so the scripted replies come elsewhere.
 */
export const crashSense: CrashSense<ModelEvent, Observation> = {
  fit(event, id, { question }) {
    if (!('id' in event)) return event;
    return event.type === 'ANSWER' && event.question !== 'q0' && question
      ? { ...event, id, question: question.id }
      : { ...event, id };
  },
  summary: ({ outcome, output, receipts }) => {
    const sent = receipts.filter(({ id }) => id.startsWith('e')).map(({ id, fate }) => `${id} ${fate}`);
    return JSON.stringify([outcome?.kind, output?.answer !== null, sent]);
  },
  inDoubt: ({ question }) => question?.kind === 'in-doubt',
};
