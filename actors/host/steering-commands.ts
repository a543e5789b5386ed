/**
 * Steering messages as the events of a chart. Each type has a row in one of two tables, so a new type of message does not compile
 * until it has one.
 */
import type { SteeringMessage, SteeringType } from '../../bus/messages.ts';
import type { PlanCommand } from '../../machines/supervisor-context.ts';
import type { Command } from '../../machines/task-commands.ts';

type Message<Type extends SteeringType> = Extract<SteeringMessage, { type: Type }>;

/** Types that change the plan of a goal. Only a supervisor takes them. */
export type PlanChange = 'add' | 'drop' | 'rerun';

/** Types that every task takes. */
const commands: { readonly [Type in Exclude<SteeringType, PlanChange>]: (id: string, message: Message<Type>) => Command } = {
  steer: (id, { text, urgency }) => ({ type: 'STEER', id, text, urgency }),
  redirect: (id, { text }) => ({ type: 'REDIRECT', id, text }),
  answer: (id, { question, text, args }) => ({ ...{ type: 'ANSWER', id, question, text }, ...(args !== undefined && { args }) }),
  swap: (id, { backend, urgency }) => ({ ...{ type: 'SWAP', id, backend }, ...(urgency === 'now' && { now: true }) }),
  allow: (id, { tool }) => ({ type: 'ALLOW', id, tool }),
  budget: (id, { steps, costUsd }) => ({
    ...{ type: 'BUDGET', id },
    ...(steps !== undefined && { steps }),
    ...(costUsd !== undefined && { costUsd }),
  }),
  pause: (id) => ({ type: 'PAUSE', id }),
  resume: (id) => ({ type: 'RESUME', id }),
  cancel: (id) => ({ type: 'CANCEL', id }),
};

const planCommands: { readonly [Type in PlanChange]: (id: string, message: Message<Type>) => PlanCommand } = {
  add: (id, { task }) => ({ type: 'ADD', id, node: task }),
  drop: (id, { key }) => ({ type: 'DROP', id, key }),
  rerun: (id, { key, instruction, backend }) => ({
    ...{ type: 'RERUN', id, key },
    ...(instruction !== undefined && { instruction }),
    ...(backend !== undefined && { backend }),
  }),
};

export const isPlanChange = (message: SteeringMessage): message is Message<PlanChange> =>
  Object.hasOwn(planCommands, message.type);

/** @param id of the steering message. */
export function commandOf(id: string, message: Exclude<SteeringMessage, Message<PlanChange>>): Command {
  const make = commands[message.type] as (id: string, message: SteeringMessage) => Command;
  return make(id, message);
}

/** @param id of the steering message. */
export function planCommandOf(id: string, message: Message<PlanChange>): PlanCommand {
  const make = planCommands[message.type] as (id: string, message: SteeringMessage) => PlanCommand;
  return make(id, message);
}
