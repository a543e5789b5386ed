import type { Equivalents } from '../mutants.ts';

const passesOn = 'with an ending set, both go where it leads';
const holds = 'a question about the goal itself holds it';
/** Changes of the supervisor’s chart that do not change its behaviour. */
export const equivalents: Equivalents = {
  'retarget root ANSWER#0 to #supervisor.gathering.stopping': passesOn,
  'retarget root CANCEL to #supervisor.gathering.stopping': passesOn,
  'retarget root DEADLINE_PASSED to #supervisor.gathering.stopping': passesOn,
  'retarget decomposing onError of deadline to #supervisor.gathering.stopping': passesOn,
  'retarget collecting onError of deadline to #supervisor.gathering.stopping': passesOn,
  'retarget awaiting-steer onError of deadline to #supervisor.gathering.stopping': passesOn,
  'retarget reducing onError of deadline to #supervisor.gathering.stopping': passesOn,
  'retarget root PAUSE to #supervisor.awaiting-steer': 'no failure is left unasked about where it rests',
  'retarget decomposing CALL_PRICED#1 to #supervisor.awaiting-steer': holds,
  'retarget reducing CALL_PRICED#1 to #supervisor.awaiting-steer': holds,
  'swap root ANSWER#1 and #2': 'a question is about a sub-task or about the goal, never both',
  'swap deciding always#3 and #4': 'while paused nothing of its own fails',
  'swap deciding always#4 and #5': 'one needs a question, the other none',
  'swap deciding always#6 and #7': 'without a plan nothing waits',
  'swap deciding always#7 and #8': 'the doomed take no place from the ready',
  'swap deciding always#10 and #11': 'there is no answer while a sub-task is undecided',
  'swap awaiting-steer STEER#0 and #1': 'the goal itself is asked about only when all sub-tasks have settled',
};
