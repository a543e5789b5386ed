import type { CrashSense } from '../crash.ts';
import type { ModelEvent } from './alphabet.ts';
import type { Observation } from './observation.ts';

/**
 * The part that must be the same after a crash: the outcome, whether there is an answer, the state of every sub-task, and the
 * fates of the path’s steers.
 */
export const crashSense: CrashSense<ModelEvent, Observation> = {
  fit(event, id, { question }) {
    if (!('id' in event)) return event;
    return event.type === 'ANSWER' && event.question !== 'q0' && question
      ? { ...event, id, question: question.id }
      : { ...event, id };
  },
  summary: ({ outcome, output, receipts, plan }) => {
    const sent = receipts.filter(({ id }) => id.startsWith('e')).map(({ id, fate }) => `${id} ${fate}`);
    const tasks = Object.values(plan).map(({ key, status, attempt }) => `${key} ${status} ${attempt}`);
    return JSON.stringify([outcome?.kind, output?.answer !== null, tasks, sent]);
  },
  // A supervisor’s own effects only think, so none is ever in doubt.
  inDoubt: () => false,
};
