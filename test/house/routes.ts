/** How a chart goes from state to state as one sees it from outside: states that it never rests in are passed through. */
import { type ChartNode, descend, pathOf, type Way, waysOf } from './chart.ts';

export interface Route {
  readonly from: string;
  readonly to: string;
  /** The transitions that take it. */
  readonly by: readonly string[];
}

/** Whether it leaves the state at once, whatever holds. */
export const isPassedThrough = ({ always = [] }: ChartNode): boolean =>
  always.some(({ guard, target }) => guard === undefined && target !== undefined);

const lineOf = (node: ChartNode): ChartNode[] => (node.parent ? [...lineOf(node.parent), node] : [node]);

/** Told of the outermost states that are left and entered; where none is left, of the state that it stays in. */
function lifted({ from, to }: Way): readonly [ChartNode, ChartNode] {
  const [outer, inner] = [lineOf(from), lineOf(to)];
  const depth = outer.findIndex((node, index) => node !== inner[index]);
  if (depth >= 0) return [outer[depth]!, inner[depth]!];
  return from.parent ? [from, from] : [from, inner[1]!];
}

/** Without those from an innermost state to itself: it is still the same to who looks. */
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
    if (isPassedThrough(from) || isPassedThrough(to) || staysInside) continue;
    const ends = { from: pathOf(root, from), to: pathOf(root, to) };
    const by = routes.get(JSON.stringify(ends))?.by ?? [];
    routes.set(JSON.stringify(ends), { ...ends, by: [...new Set([...by, ...way.labels])] });
  }
  return [...routes.values()];
}
