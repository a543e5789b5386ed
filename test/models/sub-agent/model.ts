import type { AnyStateMachine } from 'xstate';
import { subAgent } from '../../../machines/sub-agent.ts';
import type { Model } from '../walk.ts';
import { alphabet, effects, input, type ModelEvent, saidBy, towardsTheEnd } from './alphabet.ts';
import { Contract } from './contract.ts';
import { type Look, look, type Observation, observe } from './observation.ts';

/** The sub-agent’s chart or a mutant of it, with all that a walk needs. */
export const model = (machine: AnyStateMachine = subAgent): Model<ModelEvent, Look, Observation> => ({
  machine,
  input,
  effects,
  saidBy,
  look,
  observe,
  contract: (first) => new Contract(input, first),
  alphabet,
  towardsTheEnd,
  isOver: ({ state }) => state === 'done',
  endsIt: ({ type }) => ['CANCEL', 'DEADLINE_PASSED', 'xstate.error.actor.deadline'].includes(type),
});
