/** A chart as a page: a Mermaid state diagram of where it goes, and a table of all that it does, both read from the machine itself. */
import type { AnyStateMachine } from 'xstate';

/** The parts of xstate's compiled chart that are read. */
interface Node {
  readonly id: string;
  readonly key: string;
  readonly type: string;
  readonly parent?: Node;
  readonly description?: string;
  readonly initial?: { readonly target: readonly Node[] };
  readonly states: Readonly<Record<string, Node>>;
  readonly transitions: ReadonlyMap<string, readonly Transition[]>;
  readonly always?: readonly Transition[];
  readonly invoke: readonly { readonly id: string; readonly src: unknown }[];
}
interface Transition {
  readonly eventType: string;
  readonly target?: readonly Node[];
  readonly guard?: unknown;
  readonly actions: readonly unknown[];
}

const descend = (node: Node): Node[] => [node, ...Object.values(node.states).flatMap(descend)];
const transitionsOf = (node: Node): Transition[] => [...[...node.transitions.values()].flat(), ...(node.always ?? [])];

const nameOf = (thing: unknown): string => {
  if (typeof thing === 'string') return thing;
  if (typeof thing !== 'object' || thing === null || !('type' in thing)) return 'a function';
  const params = 'params' in thing && typeof thing.params === 'string' ? ` ${thing.params}` : '';
  return `${thing.type}${params}`;
};
/** `xstate.error.actor.think` is for machines; nothing at all is for transitions that need no event. */
function eventOf({ eventType }: Transition): string {
  if (eventType === '') return '';
  const failed = /^xstate\.error\.actor\.(?<actor>.+)$/.exec(eventType)?.groups?.actor;
  return failed ? `${failed} breaks` : eventType;
}
const guardOf = ({ guard }: Transition): string => (guard === undefined ? '' : `[${nameOf(guard)}]`);

/** Mermaid wants plain words for ids. */
const idOf = (root: Node, { id }: Node): string =>
  id === root.id ? 'any' : id.slice(root.id.length + 1).replaceAll(/[^a-z]/gi, '_');

function statesAsMermaid(root: Node, node: Node, indent: string): string[] {
  const children = Object.values(node.states);
  const inside = children.flatMap((child) => {
    const name = `${indent}state "${child.key}" as ${idOf(root, child)}`;
    if (Object.keys(child.states).length === 0) return [name];
    return [`${name} {`, ...statesAsMermaid(root, child, `${indent}  `), `${indent}}`];
  });
  const first = node.initial?.target[0];
  return [...(first ? [`${indent}[*] --> ${idOf(root, first)}`] : []), ...inside];
}

/** One arrow between two states, however many ways there are. What stays where it is, is in the table. */
function arrows(root: Node): string[] {
  const ways = new Map<string, string[]>();
  for (const node of descend(root)) {
    for (const transition of transitionsOf(node)) {
      const [target] = transition.target ?? [];
      if (!target) continue;
      const arrow = `${idOf(root, node)} --> ${idOf(root, target)}`;
      ways.set(arrow, [
        ...(ways.get(arrow) ?? []),
        [eventOf(transition), guardOf(transition)].filter(Boolean).join(' ') || 'else',
      ]);
    }
  }
  return [...ways].map(([arrow, labels]) => `  ${arrow}: ${[...new Set(labels)].join('<br/>')}`);
}

function table(root: Node): string[] {
  const rows = descend(root).flatMap((node) =>
    transitionsOf(node).map((transition) => {
      const state = node === root ? 'any' : node.id.slice(root.id.length + 1);
      const target = transition.target?.[0]?.id.slice(root.id.length + 1) ?? 'stays';
      const guard = transition.guard === undefined ? '' : nameOf(transition.guard);
      return `| ${state} | ${eventOf(transition) || 'at once'} | ${guard} | ${transition.actions.map(nameOf).join(', ')} | ${target} |`;
    }),
  );
  return ['| in | on | if | does | goes to |', '| --- | --- | --- | --- | --- |', ...rows];
}

function descriptions(root: Node): string[] {
  return descend(root).flatMap((node) => {
    const effects = node.invoke.map(({ src }) => `\`${nameOf(src)}\``);
    if (node === root || (!node.description && effects.length === 0)) return [];
    const runs = effects.length > 0 ? ` Runs ${effects.join(' and ')}.` : '';
    return [`- **${node.id.slice(root.id.length + 1)}**: ${node.description ?? ''}${runs}`.replace(':  ', ': ')];
  });
}

/** `source`: the file of the chart, from the root of the house. */
export function pageOf(machine: AnyStateMachine, source: string): string {
  const root = machine.root as unknown as Node;
  const lines = [
    `# The chart \`${machine.id}\``,
    '',
    `Generated from [\`${source}\`](../../${source}) by \`node .ci/write-diagrams.mjs\`; a test keeps it up to date.`,
    'A state within another tries its own transitions first; `any` is what holds in every state. Rows of one event are tried from the top.',
    '',
    '```mermaid',
    'stateDiagram-v2',
    ...statesAsMermaid(root, root, '  '),
    '  state "any state" as any',
    ...arrows(root),
    '```',
    '',
    '## States',
    '',
    ...descriptions(root),
    '',
    '## All transitions',
    '',
    ...table(root),
  ];
  return `${lines.join('\n')}\n`;
}
