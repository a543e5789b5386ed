/** Charts with one small error: a missing transition, guard or action, another target, or another order in a list. */
import { type AnyStateMachine, createMachine } from 'xstate';

export interface Mutant {
  readonly name: string;
  readonly machine: AnyStateMachine;
}

/** The part of a machine’s config that mutants change. */
interface NodeConfig {
  on?: Record<string, Site>;
  always?: Site;
  invoke?: Invoke | Invoke[];
  initial?: string;
  exit?: unknown;
  states?: Record<string, NodeConfig>;
}
interface Invoke {
  id: string;
  onError?: Site;
}
type Site = string | TransitionConfig | TransitionConfig[];
interface TransitionConfig {
  target?: string;
  guard?: unknown;
  actions?: unknown;
  reenter?: boolean;
}
type Path = readonly (string | number)[];
interface Place {
  readonly path: Path;
  readonly name: string;
  readonly transition: TransitionConfig;
}

const listOf = (site: Site | undefined): TransitionConfig[] =>
  site === undefined
    ? []
    : (Array.isArray(site) ? site : [site]).map((each) => (typeof each === 'string' ? { target: each } : each));
const invokesOf = ({ invoke }: NodeConfig): Invoke[] => (invoke === undefined ? [] : Array.isArray(invoke) ? invoke : [invoke]);

/** Makes every site a list, so that all transitions have one kind of address. Copies all but functions. */
function normal({ on, always, invoke, states, ...rest }: NodeConfig): NodeConfig {
  const invokes = invokesOf({ ...(invoke && { invoke }) });
  return {
    ...rest,
    ...(on && { on: Object.fromEntries(Object.entries(on).map(([event, site]) => [event, listOf(site)])) }),
    ...(always && { always: listOf(always) }),
    ...(invoke && { invoke: invokes.map((each) => ({ ...each, ...(each.onError && { onError: listOf(each.onError) }) })) }),
    ...(states && { states: Object.fromEntries(Object.entries(states).map(([key, state]) => [key, normal(state)])) }),
  };
}

/** The lists of transitions of a chart, each with its address. */
function lists(node: NodeConfig, path: Path, id: string): { path: Path; name: string }[] {
  return [
    ...Object.keys(node.on ?? {}).map((event) => ({ path: [...path, 'on', event], name: `${id} ${event}` })),
    ...(node.always ? [{ path: [...path, 'always'], name: `${id} always` }] : []),
    ...invokesOf(node).flatMap(({ id: of, onError }, i) =>
      onError ? [{ path: [...path, 'invoke', i, 'onError'], name: `${id} onError of ${of}` }] : [],
    ),
    ...Object.entries(node.states ?? {}).flatMap(([key, state]) => lists(state, [...path, 'states', key], key)),
  ];
}
// biome-ignore lint/suspicious/noExplicitAny: an address leads anywhere in a config.
const at = (config: any, path: Path): any => path.reduce((node, key) => node[key], config);

const nameOf = (action: unknown): string => {
  if (typeof action !== 'object' || action === null || !('type' in action)) return String(action);
  const params = 'params' in action && typeof action.params !== 'function' ? JSON.stringify(action.params) : '';
  return `${action.type} ${params}`.trim();
};

export function mutantsOf(machine: AnyStateMachine): Mutant[] {
  const mutants: Mutant[] = [];
  const base = normal(machine.config as unknown as NodeConfig);
  const add = (name: string, path: Path, change: (place: never) => unknown) => {
    const config = normal(base);
    const holder = at(config, path.slice(0, -1));
    const key = path.at(-1)!;
    const changed = change(structuredCopy(holder[key]) as never);
    if (changed === undefined) delete holder[key];
    else holder[key] = changed;
    try {
      mutants.push({ name, machine: createMachine(config as never, machine.implementations as never) });
    } catch {
      // not a valid chart, so not a mutant
    }
  };
  for (const { path, name } of lists(base, [], 'root')) {
    const list = at(base, path) as TransitionConfig[];
    for (const [i, transition] of list.entries()) {
      const place = { path: [...path, i], name: list.length > 1 ? `${name}#${i}` : name, transition };
      add(`drop ${place.name}`, path, (all: TransitionConfig[]) => all.filter((_, j) => j !== i));
      mutateTransition(place, base, homeOf(path, machine.id), add);
      const next = list[i + 1];
      if (next)
        add(`swap ${name}#${i} and #${i + 1}`, path, (all: TransitionConfig[]) => all.with(i, next).with(i + 1, transition));
    }
  }
  for (const { path, ids } of invocations(base, [])) {
    for (const [i, id] of ids.entries()) {
      add(`drop invoke ${id} of ${path.at(-2) ?? 'root'}`, path, (all: Invoke[]) => all.filter((_, j) => j !== i));
    }
  }
  for (const { path, name } of exits(base, [], 'root')) add(`drop exit of ${name}`, path, () => undefined);
  return mutants;
}

/** Copies lists and objects one level deep, so that mutants share nothing that they change. */
const structuredCopy = (value: unknown) =>
  Array.isArray(value) ? [...value] : typeof value === 'object' && value !== null ? { ...value } : value;

function mutateTransition(
  { path, name, transition }: Place,
  base: NodeConfig,
  home: string,
  add: (name: string, path: Path, change: (place: never) => unknown) => void,
) {
  const { guard, target, reenter } = transition;
  const actions =
    transition.actions === undefined ? [] : Array.isArray(transition.actions) ? transition.actions : [transition.actions];
  if (guard !== undefined) add(`unguard ${name}`, path, ({ guard: _, ...rest }: TransitionConfig) => rest);
  for (const [i, action] of actions.entries()) {
    add(`drop ${nameOf(action)} of ${name}`, path, (t: TransitionConfig) => ({
      ...t,
      actions: actions.filter((_, j) => j !== i),
    }));
  }
  if (reenter) add(`no re-entry of ${name}`, path, (t: TransitionConfig) => ({ ...t, reenter: false }));
  if (target === undefined) return;
  add(`untarget ${name}`, path, ({ target: _, reenter: __, ...rest }: TransitionConfig) => rest);
  const aim = initialOf(base, absolute(target, home));
  for (const other of targetsIn(base, home.split('.')[0]!)) {
    if (other !== aim) add(`retarget ${name} to ${other}`, path, (t: TransitionConfig) => ({ ...t, target: other }));
  }
}

const targetsIn = (node: NodeConfig, id: string): string[] =>
  node.states ? Object.entries(node.states).flatMap(([key, state]) => targetsIn(state, `${id}.${key}`)) : [id];
const invocations = (node: NodeConfig, path: Path): { path: Path; ids: string[] }[] => [
  ...(node.invoke ? [{ path: [...path, 'invoke'], ids: invokesOf(node).map(({ id }) => id) }] : []),
  ...Object.entries(node.states ?? {}).flatMap(([key, state]) => invocations(state, [...path, 'states', key])),
];
const exits = (node: NodeConfig, path: Path, name: string): { path: Path; name: string }[] => [
  ...(node.exit ? [{ path: [...path, 'exit'], name }] : []),
  ...Object.entries(node.states ?? {}).flatMap(([key, state]) => exits(state, [...path, 'states', key], key)),
];
/** The state that a list of transitions belongs to, as an absolute target. */
const homeOf = (path: Path, root: string): string =>
  [`#${root}`, ...path.flatMap((key, i) => (path[i - 1] === 'states' ? [String(key)] : []))].join('.');
/** The leaf that a target enters: for a compound state its initial one. */
function initialOf(base: NodeConfig, target: string): string {
  const keys = target.split('.').slice(1);
  const node = keys.reduce<NodeConfig | undefined>((parent, key) => parent?.states?.[key], base);
  return node?.initial ? initialOf(base, `${target}.${node.initial}`) : target;
}
function absolute(target: string, home: string): string {
  if (target.startsWith('#')) return target;
  if (target.startsWith('.')) return home + target;
  return home.includes('.') ? `${home.slice(0, home.lastIndexOf('.'))}.${target}` : `${home}.${target}`;
}

export interface Score {
  readonly killed: number;
  readonly total: number;
  readonly survivors: readonly string[];
}
/** Mutants that behave like the chart, each with the reason. A name that is no mutant is an error. */
export type Equivalents = Readonly<Record<string, string>>;

/** @param kill Says why a mutant is wrong, or null when nothing was noticed. */
export function score(
  mutants: readonly Mutant[],
  equivalents: Equivalents,
  kill: (machine: AnyStateMachine) => string | null,
): Score {
  const names = new Set(mutants.map(({ name }) => name));
  const stale = Object.keys(equivalents).filter((name) => !names.has(name));
  if (stale.length > 0) throw new Error(`listed as equivalent, but not a mutant: ${stale.join('; ')}`);
  const judged = mutants.filter(({ name }) => !Object.hasOwn(equivalents, name));
  const survivors = judged.filter(({ machine }) => kill(machine) === null).map(({ name }) => name);
  return { killed: judged.length - survivors.length, total: judged.length, survivors };
}
