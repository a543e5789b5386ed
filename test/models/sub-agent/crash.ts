import type { CrashSense } from '../crash.ts';
import type { ModelEvent } from './alphabet.ts';
import type { Observation } from './observation.ts';

/**
 * What must come out the same: the outcome, whether there is an answer, and the fate of what the path sent. Not the answer's words: a call
 * that is made again after a crash sees what was queued meanwhile, so the scripted replies come at other places.
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
