/** An exported chart that is read back goes the same ways. */
import { getShortestPaths } from '@xstate/graph';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { type AnyStateMachine, type AnyStateNodeConfig, createMachine, setup } from 'xstate';
import { charts } from '../../../actors/inspect/charts.ts';
import { chartText } from '../../../cli/chart/chart-text.ts';
import { descend, nameOf, pathOf, rootOf, transitionsOf, waysOf } from '../../../machines/chart/chart.ts';
import { definitionOf } from '../../../machines/chart/definition.ts';
import { guardWords } from '../../../machines/chart/guard-words.ts';
import { marksOf, wayKey } from '../../../machines/chart/marks.ts';
import { samplesOf } from '../../../machines/chart/sample-events.ts';
import { subAgent } from '../../../machines/sub-agent.ts';

type Event = { readonly type: string; readonly open: readonly string[] };

const guardsOf = (machine: AnyStateMachine): string[] => [
  ...new Set(
    descend(rootOf(machine)).flatMap((node) =>
      transitionsOf(node).flatMap(({ guard }) => (guard === undefined ? [] : [nameOf(guard)])),
    ),
  ),
];
/** Guards of transitions without a target at a state that is left at once: with them alone the chart would go round for ever. */
const endless = (machine: AnyStateMachine): Set<string> =>
  new Set(
    descend(rootOf(machine)).flatMap(({ always = [] }) =>
      always.flatMap(({ guard, target }) => (guard !== undefined && (!target || target.length === 0) ? [nameOf(guard)] : [])),
    ),
  );

/** The machine without its effects and actions, whose guards hold if the event names them. */
function bare(machine: AnyStateMachine): AnyStateMachine {
  const guards = Object.fromEntries(
    guardsOf(machine).map((name) => [name, ({ event }: { event: unknown }) => (event as Event).open?.includes(name) ?? false]),
  );
  const names = Object.keys(machine.implementations.actions);
  return machine.provide({ guards, actions: Object.fromEntries(names.map((name) => [name, () => {}])) } as never);
}

function pathsOf(machine: AnyStateMachine, names: readonly string[]): string[] {
  const types = [...new Set(descend(rootOf(machine)).flatMap(({ transitions }) => [...transitions.keys()]))];
  const events = types.flatMap((type) => [[], ...names.map((name) => [name])].map((open): Event => ({ type, open })));
  const paths = getShortestPaths(
    machine as never,
    {
      events: events as never,
      input: {} as never,
      serializeState: (snapshot: unknown) => JSON.stringify((snapshot as { value: unknown }).value),
    } as never,
  );
  return (paths as { steps: { event: Event; state: { value: unknown } }[] }[])
    .map(({ steps }) =>
      steps.map(({ event, state }) => `${event.type} ${event.open?.join() ?? ''} → ${JSON.stringify(state.value)}`).join('; '),
    )
    .sort();
}

/** The chart as it is written, without the functions that make data: only the ways are compared. */
function withoutData(config: unknown): unknown {
  if (Array.isArray(config)) return config.map(withoutData);
  if (typeof config !== 'object' || config === null) return config;
  const kept = Object.entries(config).filter(
    ([name, value]) => typeof value !== 'function' && !['input', 'output', 'context', 'params'].includes(name),
  );
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutData(value)]));
}

/** Each way from a state to one within it, or to itself: whether the state is entered anew, which paths of states do not show. */
function reentries(machine: AnyStateMachine): string[] {
  const root = rootOf(machine);
  return descend(root).flatMap((node) =>
    transitionsOf(node).flatMap(({ eventType, target, reenter }) =>
      (target ?? []).flatMap((to) =>
        to === node || to.id.startsWith(`${node.id}.`)
          ? [`${pathOf(root, node)} ${eventType} → ${pathOf(root, to)}: ${reenter}`]
          : [],
      ),
    ),
  );
}

/** Stands in for each effect, and never says anything. */
const silent = setup({}).createMachine({});

function reread(config: object, like: AnyStateMachine): AnyStateMachine {
  const actors = Object.fromEntries(Object.keys(like.implementations.actors).map((name) => [name, silent]));
  return createMachine(config as AnyStateNodeConfig as never, { ...like.implementations, actors } as never) as AnyStateMachine;
}

interface Element {
  readonly localName: string;
  readonly children: Iterable<Element>;
  readonly textContent: string | null;
  getAttribute(name: string): string | null;
  hasAttribute(name: string): boolean;
}

/** The states of SCXML as the configuration of a machine. It knows as much of SCXML as the exports use. */
function configOf(element: Element): object {
  const children = [...element.children];
  const named = (name: string) => children.filter(({ localName }) => localName === name);
  const attribute = (of: Element, name: string) => of.getAttribute(name) ?? undefined;
  const callOf = (text: string) => text.slice(0, text.indexOf('('));
  const transitionOf = (transition: Element) => ({
    ...(attribute(transition, 'target') && { target: `#${attribute(transition, 'target')}` }),
    ...(attribute(transition, 'cond') && { guard: callOf(attribute(transition, 'cond')!) }),
    // XState leaves a source only if it is told to; SCXML stays inside only if it is told to.
    ...(attribute(transition, 'target') && attribute(transition, 'type') !== 'internal' && { reenter: true }),
    actions: [...transition.children].map((script) => callOf(script.textContent ?? '')),
  });
  const events = named('transition').filter((it) => it.hasAttribute('event'));
  const eventOf = (it: Element) =>
    attribute(it, 'event')!
      .replace(/^(done|error)\.invoke\./, 'xstate.$1.actor.')
      .replace(/^cox\./, 'xstate.');
  const on = Object.groupBy(events, eventOf);
  const states = [...named('state'), ...named('final')];
  const id = attribute(element, 'id')!;
  return {
    id,
    ...(element.localName === 'final' && { type: 'final' }),
    ...(attribute(element, 'initial') && { initial: attribute(element, 'initial')!.slice(id.length + 1) }),
    on: Object.fromEntries(Object.entries(on).map(([event, list]) => [event, list!.map(transitionOf)])),
    always: named('transition')
      .filter((it) => !it.hasAttribute('event'))
      .map(transitionOf),
    states: Object.fromEntries(states.map((state) => [attribute(state, 'id')!.slice(id.length + 1), configOf(state)])),
  };
}

describe.each(charts.map((chart) => [chart.machine.id, chart] as const))('the chart %s', (_, chart) => {
  const { machine } = chart;
  const original = withoutData(machine.config) as object;
  const names = guardsOf(machine).filter((name) => !endless(machine).has(name));

  it('has the same paths when its JSON is read back, with guards by name', async () => {
    const config = JSON.parse(await chartText(chart, { format: 'json' }));
    const expected = pathsOf(bare(reread({ ...original, context: {} }, machine)), names);
    expect(expected.length).toBeGreaterThan(2);
    expect(pathsOf(bare(reread({ ...config, context: {} }, machine)), names)).toEqual(expected);
    expect(reentries(reread(config, machine))).toEqual(reentries(machine));
  });

  it('keeps the order in which transitions are tried, their guards, actions and effects, when its JSON is read back', () => {
    const again = createMachine(JSON.parse(JSON.stringify(definitionOf(machine, 1))));
    expect(definitionOf(again as AnyStateMachine, 1)).toEqual(definitionOf(machine, 1));
  });

  it('has the same paths when its SCXML is read back', async () => {
    const text = await chartText(chart, { format: 'scxml' });
    const { document } = parseHTML(text.replace(/^<\?xml.*\?>\n/, '').replaceAll(/<([a-z]+)([^<>]*)\/>/g, '<$1$2></$1>'));
    const top = document.querySelector('scxml > state')!;
    const config = configOf(top as unknown as Element);
    expect(pathsOf(bare(reread({ ...config, context: {} }, machine)), names)).toEqual(
      pathsOf(bare(reread({ ...original, context: {} }, machine)), names),
    );
    expect(reentries(reread(config, machine)).sort()).toEqual(reentries(machine).sort());
  });

  it('names in DOT and Mermaid each of its states and ways', async () => {
    const root = rootOf(machine);
    const dot = await chartText(chart, { format: 'dot' });
    const mermaid = await chartText(chart, { format: 'mermaid' });
    for (const node of descend(root).filter((each) => each !== root)) {
      const path = pathOf(root, node);
      expect(dot).toContain(Object.keys(node.states).length > 0 ? `subgraph "cluster ${path}"` : `"${path}" [label=`);
      expect(mermaid).toContain(`state "${node.key}" as ${path.replaceAll(/[^a-z]/gi, '_')}`);
    }
    expect(dot.match(/ -> /g)).toHaveLength(
      waysOf(root).length + descend(root).filter(({ initial }) => initial?.target[0]).length,
    );
    expect([...dot].filter((letter) => letter === '{')).toHaveLength([...dot].filter((letter) => letter === '}').length);
    expect(mermaid.match(/ --> .*: /g)).toHaveLength(waysOf(root).length);
  });

  it('has words for each of its guards, where a task runs by it', () => {
    if (chart.version !== null) expect(guardsOf(machine).filter((name) => !Object.hasOwn(guardWords, name))).toEqual([]);
  });
});

it('has words for no guard that no chart has', () => {
  const all = new Set(charts.flatMap(({ machine }) => guardsOf(machine)));
  expect(Object.keys(guardWords).filter((name) => !all.has(name))).toEqual([]);
});

it('an event that is named like a method of an object has a sample of its own', () => {
  expect(samplesOf('constructor', {})).toEqual([expect.objectContaining({ type: 'constructor' })]);
});

describe('the marks of a live task', () => {
  const live = {
    states: ['awaiting-steer'],
    path: ['idle', 'running.thinking', 'running.acting', 'awaiting-steer'].map((path) => ({ path })),
  };
  const marks = marksOf(subAgent, live);

  it('are on the state that it is in, on those that it was in, and on the ways through states that no status tells', () => {
    expect([...marks.active]).toEqual(['awaiting-steer']);
    expect([...marks.passed]).toEqual(expect.arrayContaining(['idle', 'running', 'running.thinking', 'running.acting']));
    expect([...marks.taken]).toEqual(
      expect.arrayContaining([
        wayKey('running.thinking', 'running.deciding'),
        wayKey('running.deciding', 'running.acting'),
        wayKey('running.deciding', 'awaiting-steer'),
      ]),
    );
    expect(marks.passed.has('running.checking')).toBe(false);
    expect(marks.taken.has(wayKey('idle', 'running'))).toBe(true);
    for (const other of [wayKey('any', 'done'), wayKey('running', 'running.deciding')])
      expect(marks.taken.has(other)).toBe(false);
  });

  it('are in each format in words, not by colour alone', async () => {
    const live2 = { ...live, task: 'k3xq.1' } as never;
    for (const format of ['mermaid', 'svg', 'dot', 'scxml'] as const)
      expect(await chartText(charts[0]!, { format, live: live2 })).toContain('● is here');
    expect(JSON.parse(await chartText(charts[0]!, { format: 'json', live: live2 })).meta.live.states).toEqual(['awaiting-steer']);
  });
});
