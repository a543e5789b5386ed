import type { AnyStateMachine } from 'xstate';
import { supervisor } from '../../../machines/supervisor.ts';
import type { Model } from '../walk.ts';
import { alphabet, effects, inputFor, type ModelEvent, saidBy, towardsTheEnd } from './alphabet.ts';
import { Contract } from './contract.ts';
import { asking, type Policy } from './explore.ts';
import { type Look, look, type Observation, observe } from './observation.ts';

/** The supervisor’s chart or a mutant of it, with all that a walk needs. */
export function model(machine: AnyStateMachine = supervisor, policy: Policy = asking): Model<ModelEvent, Look, Observation> {
  const input = inputFor(policy.onFailure, policy.concurrency);
  return {
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
  };
}
