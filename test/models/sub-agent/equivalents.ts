import type { Equivalents } from '../mutants.ts';

const heldAnyway = 'there is no call while it thinks, so the question holds it';
/** Changes of the sub-agent’s chart that do not change its behaviour. */
export const equivalents: Equivalents = {
  'retarget running PAUSE to #sub-agent.awaiting-steer':
    'nothing that writes is in flight there, so only holding is left to decide',
  'swap deciding always#2 and #3':
    'what is overtaken is dropped before or after the question about being stuck, with the same word',
  'swap deciding always#4 and #5': 'no tool both asks and is gated',
  'swap deciding always#7 and #8': 'there is no answer while there are calls',
  'steps forgive the repeats':
    'the limit of repeats is one here, so a task that repeats itself asks for help before it asks for steps',
  'retarget thinking CALL_PRICED#1 to #sub-agent.awaiting-steer': heldAnyway,
  'retarget thinking CALL_PRICED#2 to #sub-agent.awaiting-steer': heldAnyway,
  'retarget checking CALL_PRICED#1 to #sub-agent.awaiting-steer': heldAnyway,
  'retarget acting CALL_PRICED#1 to #sub-agent.awaiting-steer':
    'only a call that reads asks another backend, so it is in no doubt, and the question holds it',
  'swap awaiting-steer ANSWER#0 and #1': 'words that name a choice are never unclear',
  'swap awaiting-steer ANSWER#2 and #3': 'a question is about a call or about being stuck, never both',
};
