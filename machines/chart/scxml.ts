/**
 * A chart as SCXML (W3C, 1 September 2015), with the datamodel `ecmascript`: a guard is the condition `isStuck(_event)`, an action
 * the script `ask(_event, "stuck")`. The functions are not part of the document. SCXML has no transitions at its root, so one state
 * with the name of the chart is around all others.
 */
import type { AnyStateMachine } from 'xstate';
import { type ChartNode, type ChartTransition, childrenOf, rootOf } from './chart.ts';
import { definitionOf, type Named, type StateDefinition, type TransitionDefinition } from './definition.ts';
import { type Marks, markOf, noMarks } from './marks.ts';

/** The namespace of what SCXML has no word for: descriptions, tags, and marks of a live task. */
const own = 'urn:coxswain:chart';

export function scxmlOf(machine: AnyStateMachine, version?: number, marks: Marks = noMarks): string[] {
  const root = rootOf(machine);
  const { id } = machine;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<scxml xmlns="http://www.w3.org/2005/07/scxml" xmlns:cox="${own}" version="1.0" datamodel="ecmascript"` +
      ` name="${escaped(id)}" initial="${escaped(id)}"${version === undefined ? '' : ` cox:version="${version}"`}>`,
    ...stateOf(root, definitionOf(machine), [], '  ', marks),
    '</scxml>',
  ];
}

function stateOf(node: ChartNode, state: StateDefinition, path: readonly string[], indent: string, marks: Marks): string[] {
  const mark = markOf(marks, path.join('.'));
  const first = node.initial?.target[0];
  const attributes = [
    `id="${escaped(node.id)}"`,
    ...(first ? [`initial="${escaped(first.id)}"`] : []),
    ...(state.tags ? [`cox:tags="${escaped(state.tags.join(' '))}"`] : []),
    ...(state.description ? [`cox:description="${escaped(state.description)}"`] : []),
    ...(mark ? [`cox:mark="${escaped(mark)}"`] : []),
  ];
  const name = state.type === 'final' ? 'final' : state.type === 'parallel' ? 'parallel' : 'state';
  const deeper = `${indent}  `;
  const effects = state.invoke ?? [];
  const children = childrenOf(node).flatMap((child) =>
    stateOf(child, state.states![child.key]!, [...path, child.key], deeper, marks),
  );
  const inside = [
    ...scripts('onentry', state.entry, deeper),
    ...scripts('onexit', state.exit, deeper),
    ...effects.map(
      ({ id, src }) =>
        `${deeper}<invoke id="${escaped(`${node.id}.${id}`)}" type="${own}:effect" src="${own}:effect:${escaped(src)}"/>`,
    ),
    ...[...node.transitions].flatMap(([event, list]) => {
      const told = transitionsOf(state, event);
      return list.flatMap((transition, i) => transitionLines(node, transition, told[i]!, eventName(event), deeper));
    }),
    ...(node.always ?? []).flatMap((transition, i) => transitionLines(node, transition, state.always![i]!, null, deeper)),
    ...children,
  ];
  if (inside.length === 0) return [`${indent}<${name} ${attributes.join(' ')}/>`];
  return [`${indent}<${name} ${attributes.join(' ')}>`, ...inside, `${indent}</${name}>`];
}

/** The transitions of an event in the definition, which lists those of an effect with the effect. */
function transitionsOf({ on = {}, invoke = [] }: StateDefinition, event: string): readonly TransitionDefinition[] {
  for (const { id, onDone = [], onError = [] } of invoke) {
    if (event === `xstate.done.actor.${id}`) return onDone;
    if (event === `xstate.error.actor.${id}`) return onError;
  }
  return on[event] ?? [];
}

function transitionLines(
  node: ChartNode,
  { target, reenter }: ChartTransition,
  { guard, actions = [] }: TransitionDefinition,
  event: string | null,
  indent: string,
): string[] {
  const [to] = target ?? [];
  // XState re-enters the source only if it is told to; SCXML does so unless it is told not to.
  const internal = to !== undefined && !reenter && isBelow(to, node);
  const attributes = [
    ...(event === null ? [] : [`event="${escaped(event)}"`]),
    ...(guard === undefined ? [] : [`cond="${escaped(callOf(guard))}"`]),
    ...(to ? [`target="${escaped(to.id)}"`] : []),
    ...(internal ? ['type="internal"'] : []),
  ].join(' ');
  const open = attributes === '' ? '<transition' : `<transition ${attributes}`;
  if (actions.length === 0) return [`${indent}${open}/>`];
  return [`${indent}${open}>`, ...actions.map((action) => `${indent}  ${script(action)}`), `${indent}</transition>`];
}

const isBelow = (node: ChartNode, above: ChartNode): boolean =>
  node.parent !== undefined && (node.parent === above || isBelow(node.parent, above));

/** `error.invoke.think` for `xstate.error.actor.think`. A name of SCXML may have dots, but no word of its own before them. */
const eventName = (event: string): string =>
  event.replace(/^xstate\.(done|error)\.actor\./, '$1.invoke.').replace(/^xstate\./, 'cox.');

const callOf = (named: Named): string =>
  typeof named === 'string' ? `${named}(_event)` : `${named.type}(_event, ${JSON.stringify(named.params)})`;
const script = (named: Named): string => `<script>${escaped(callOf(named))}</script>`;
const scripts = (name: string, actions: readonly Named[] | undefined, indent: string): string[] =>
  actions === undefined
    ? []
    : [`${indent}<${name}>`, ...actions.map((action) => `${indent}  ${script(action)}`), `${indent}</${name}>`];

const escaped = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/\p{Cc}/gu, ' ');
