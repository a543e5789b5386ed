/** How a chart goes from state to state as seen from outside: states that it never rests in are skipped. */
import { type ChartNode, descend, pathOf, type Way, waysOf } from './chart.ts';

export interface Route {
  readonly from: string;
  readonly to: string;
  /** The transitions of the route. */
  readonly by: readonly string[];
}

/** Whether the chart leaves the state at once, without a condition. */
export const isPassedThrough = ({ always = [] }: ChartNode): boolean =>
  always.some(({ guard, target }) => guard === undefined && target !== undefined);

/** Whether code only looks at something in this state: an operator sees no more of it than that the task works. */
export const isBrief = ({ tags }: ChartNode): boolean => tags.includes('brief');

const lineOf = (node: ChartNode): ChartNode[] => (node.parent ? [...lineOf(node.parent), node] : [node]);

/** The outermost states that a way leaves and enters; the innermost common state if it leaves none. */
function lifted({ from, to }: Way): readonly [ChartNode, ChartNode] {
  const [outer, inner] = [lineOf(from), lineOf(to)];
  const depth = outer.findIndex((node, index) => node !== inner[index]);
  if (depth >= 0) return [outer[depth]!, inner[depth]!];
  return from.parent ? [from, from] : [from, inner[1]!];
}

/** All routes, without those that change nothing that is seen: through brief states, or from an innermost state to itself. */
export function routesOf(root: ChartNode): Route[] {
  const ways = waysOf(root);
  const through = descend(root)
    .filter(isPassedThrough)
    .flatMap((middle) => {
      const leaving = ways.filter(({ from }) => from === middle);
      const entering = ways.filter(({ from, to }) => to === middle && from.parent === middle.parent);
      return entering.flatMap((first) =>
        leaving.map((second) => ({ from: first.from, to: second.to, labels: [...first.labels, ...second.labels] })),
      );
    });
  const routes = new Map<string, Route>();
  for (const way of [...ways, ...through]) {
    const [from, to] = lifted(way);
    const staysInside = from === to && Object.keys(from.states).length === 0;
    if ([from, to].some((node) => isPassedThrough(node) || isBrief(node)) || staysInside) continue;
    const ends = { from: pathOf(root, from), to: pathOf(root, to) };
    const by = routes.get(JSON.stringify(ends))?.by ?? [];
    routes.set(JSON.stringify(ends), { ...ends, by: [...new Set([...by, ...way.labels])] });
  }
  return [...routes.values()];
}
