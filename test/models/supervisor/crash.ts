import type { CrashSense } from '../crash.ts';
import type { ModelEvent } from './alphabet.ts';
import type { Observation } from './observation.ts';

/** What must come out the same: the outcome, whether there is an answer, how every sub-task stands, and the fate of what the path sent. */
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
  // Its own effects only think: nothing of a supervisor's is ever in doubt.
  inDoubt: () => false,
};
