/** Places each part of a picture with elkjs. The same picture gets the same places on every machine. */
import elk, { type ElkExtendedEdge, type ElkNode } from 'elkjs';
import type { Arrow, Box, Picture } from '../../machines/chart/picture.ts';
import { allBoxes, arrowId, elkGraphOf, leadsBack, padding, wordsOf } from './elk-graph.ts';

/** In whole pixels from the top left of the picture. */
export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Area extends Point {
  readonly width: number;
  readonly height: number;
}
export interface PlacedBox extends Area {
  readonly box: Box;
  readonly words: Area;
}
export interface PlacedArrow {
  readonly arrow: Arrow;
  readonly points: readonly Point[];
  readonly label: Area | null;
}
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly PlacedBox[];
  readonly arrows: readonly PlacedArrow[];
}

const pointOf = ({ x = 0, y = 0 }: Partial<Point>): Point => ({ x: Math.round(x), y: Math.round(y) });
const areaOf = ({ width = 0, height = 0, ...point }: Partial<Area>): Area => ({
  ...pointOf(point),
  width: Math.round(width),
  height: Math.round(height),
});
/** Words stand in the middle of a box; in a box with boxes inside, at the top left, out of the way of the arrows. */
function wordsIn(box: Box, { x, y, width, height }: Area): Area {
  const words = wordsOf(box);
  if (box.inside.length > 0) return { x: x + padding.x, y: y + padding.y, ...words };
  return areaOf({ x: x + (width - words.width) / 2, y: y + (height - words.height) / 2, ...words });
}
const nodesIn = (node: ElkNode): ElkNode[] => [node, ...(node.children ?? []).flatMap(nodesIn)];

export async function layOut(picture: Picture): Promise<Layout> {
  const graph: ElkNode = await new elk.default().layout(elkGraphOf(picture));
  const nodes = new Map(nodesIn(graph).map((node) => [node.id, node]));
  const edges = new Map<string, ElkExtendedEdge>(
    nodesIn(graph).flatMap((node) => (node.edges ?? []).map((edge) => [edge.id, edge] as const)),
  );
  const arrows = picture.arrows.map((arrow, index): PlacedArrow => {
    const { sections = [], labels = [] } = edges.get(arrowId(index))!;
    const points = sections.flatMap(({ startPoint, bendPoints = [], endPoint }) => [startPoint, ...bendPoints, endPoint]);
    if (leadsBack(picture, arrow)) points.reverse();
    return { arrow, points: points.map(pointOf), label: labels[0] ? areaOf(labels[0]) : null };
  });
  const boxes = allBoxes(picture.boxes).map((box): PlacedBox => {
    const area = areaOf(nodes.get(box.id)!);
    return { box, ...area, words: wordsIn(box, area) };
  });
  const { width, height } = areaOf(graph);
  return { width, height, boxes, arrows };
}
