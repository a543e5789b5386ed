/**
 * Messages of inspection in the form of `@statelyai/inspect` 0.7.2, which the Stately Inspector and `createWebSocketReceiver` read.
 * A task is an actor with its id; an effect of it is another, below it.
 */
import { chartNamed, charts } from '../../actors/inspect/charts.ts';
import type { Inspected } from '../../bus/inspect/inspection-messages.ts';
import { goalOf, parentOf } from '../../bus/task-id.ts';
import { definitionOf } from '../../machines/chart/definition.ts';

/** The version of the package whose form this is. */
const formVersion = '0.7.2';

export interface StatelyMessage {
  readonly type: Inspected['type'];
  readonly sessionId: string;
  readonly rootId: string;
  readonly createdAt: string;
  readonly id: string | null;
  readonly _version: string;
  readonly [more: string]: unknown;
}

export function statelyOf(message: Inspected): StatelyMessage {
  const { type, task, actor, at, skipped } = message;
  const common = {
    sessionId: sessionOf(message),
    rootId: goalOf(task),
    createdAt: String(Date.parse(at)),
    id: null,
    _version: formVersion,
    ...(skipped !== undefined && { skipped }),
  };
  if (type === '@xstate.event') {
    const sourceId = message.source === undefined ? undefined : `${task}/${message.source}`;
    return { type, ...common, event: message.event, ...(sourceId !== undefined && { sourceId }) };
  }
  if (type === '@xstate.snapshot') return { type, ...common, event: message.event, snapshot: message.snapshot };
  const parentId = actor === undefined ? parentOf(task) : task;
  return {
    type,
    ...common,
    name: actor ?? `${task} (${message.machine ?? 'task'})`,
    definition: definitionText(message.machine) ?? JSON.stringify({ id: actor ?? task }),
    snapshot: message.snapshot,
    ...(parentId !== null && { parentId }),
  };
}

export const sessionOf = ({ task, actor }: Inspected): string => (actor === undefined ? task : `${task}/${actor}`);

const texts = new Map<string, string>();
/** The chart as JSON text; null for one that this version does not know. */
function definitionText(name: string | undefined): string | null {
  if (name === undefined || !charts.some(({ machine }) => machine.id === name)) return null;
  const known = texts.get(name) ?? JSON.stringify(definitionOf(chartNamed(name).machine));
  texts.set(name, known);
  return known;
}
