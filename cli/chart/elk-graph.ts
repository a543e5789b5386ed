/** A picture as a graph for elkjs: the size of each part and the gaps between parts, in pixels. */
import type { ElkExtendedEdge, ElkNode } from 'elkjs';
import type { Arrow, Box, Picture } from '../../machines/chart/picture.ts';
import { textWidth } from './text-width.ts';

export const text = { nameSize: 15, size: 12.5, nameHeight: 20, height: 16 } as const;
export const padding = { x: 12, y: 10 } as const;
const betweenArrows = 12;

const options = {
  'elk.algorithm': 'layered',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.randomSeed': '1',
  'elk.layered.thoroughness': '50',
  'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
  'elk.spacing.nodeNode': '32',
  'elk.spacing.edgeNode': '20',
  'elk.spacing.edgeEdge': '16',
  'elk.spacing.edgeLabel': '6',
  'elk.spacing.nodeSelfLoop': '14',
  'elk.layered.spacing.nodeNodeBetweenLayers': '14',
  'elk.layered.spacing.edgeNodeBetweenLayers': '10',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '10',
};
type Direction = Picture['direction'];
const towards = (direction: Direction) => ({ ...options, 'elk.direction': direction === 'down' ? 'DOWN' : 'RIGHT' });

export const allBoxes = (boxes: readonly Box[]): Box[] => boxes.flatMap((box) => [box, ...allBoxes(box.inside)]);

/** Whether the arrow leads to an earlier box. Such an arrow is laid out reversed, so that boxes keep the chart’s order. */
export function leadsBack({ boxes }: Picture, { from, to }: Arrow): boolean {
  const order = allBoxes(boxes).map(({ id }) => id);
  return order.indexOf(from) > order.indexOf(to);
}

const widest = (lines: readonly string[]): number => Math.max(0, ...lines.map((line) => textWidth(line, text.size)));
/** The size of the words in a box. */
export const wordsOf = ({ name, caption }: Box) => ({
  width: Math.max(textWidth(name, text.nameSize, 'bold'), widest(caption)),
  height: text.nameHeight + caption.length * text.height,
});
const headOf = (box: Box) => ({ width: wordsOf(box).width + 2 * padding.x, height: wordsOf(box).height + 2 * padding.y });

/** The length that a side needs for its arrows: one side has those of earlier boxes, the other those of later ones. */
function sideOf({ id }: Box, picture: Picture): number {
  const arrows = picture.arrows.filter(({ from, to }) => from !== to && (from === id || to === id));
  const before = arrows.filter((arrow) => (arrow.to === id) !== leadsBack(picture, arrow)).length;
  return betweenArrows * (Math.max(before, arrows.length - before) + 1);
}

/** Graph nodes of boxes. Boxes within one box are equally wide. */
function nodesOf(picture: Picture, boxes: readonly Box[], direction: Direction, inside: Direction): ElkNode[] {
  const width = boxes === picture.boxes ? 0 : Math.max(...boxes.map((box) => headOf(box).width));
  return boxes.map((box) => {
    if (box.tone === 'start') return { id: box.id, width: 14, height: 14 };
    const head = headOf(box);
    const side = sideOf(box, picture);
    if (box.inside.length === 0) {
      return direction === 'down'
        ? { id: box.id, width: Math.max(width, head.width, side), height: head.height }
        : { id: box.id, width: Math.max(width, head.width), height: Math.max(head.height, side) };
    }
    return {
      id: box.id,
      children: nodesOf(picture, box.inside, inside, inside),
      layoutOptions: {
        ...towards(inside),
        'elk.padding': `[top=${head.height + 8},left=16,bottom=16,right=16]`,
        'elk.nodeSize.constraints': 'MINIMUM_SIZE',
        'elk.nodeSize.minimum': `(${head.width},${head.height})`,
      },
    };
  });
}

export const arrowId = (index: number): string => `arrow ${index}`;
function edgeOf(picture: Picture, arrow: Arrow, index: number): ElkExtendedEdge {
  const { from, to, label } = arrow;
  const [source, target] = leadsBack(picture, arrow) ? [to, from] : [from, to];
  const labels = [{ text: label.join('\n'), width: widest(label) + 8, height: label.length * text.height }];
  return { id: arrowId(index), sources: [source], targets: [target], labels: label.length === 0 ? [] : labels };
}

/**
 * The whole graph. If an arrow crosses the border of a box, everything is laid out at once; else each box by itself, across the
 * outer direction.
 */
export function elkGraphOf(picture: Picture): ElkNode {
  const parent = new Map(allBoxes(picture.boxes).flatMap(({ id, inside }) => inside.map((child) => [child.id, id] as const)));
  const crosses = picture.arrows.some(({ from, to }) => parent.get(from) !== parent.get(to));
  const across = picture.direction === 'down' ? 'right' : 'down';
  return {
    id: 'picture',
    layoutOptions: {
      ...towards(picture.direction),
      'elk.hierarchyHandling': crosses ? 'INCLUDE_CHILDREN' : 'SEPARATE_CHILDREN',
      'elk.padding': '[top=16,left=16,bottom=16,right=16]',
      'org.eclipse.elk.json.shapeCoords': 'ROOT',
      'org.eclipse.elk.json.edgeCoords': 'ROOT',
    },
    children: nodesOf(picture, picture.boxes, picture.direction, crosses ? picture.direction : across),
    edges: picture.arrows.map((arrow, index) => edgeOf(picture, arrow, index)),
  };
}
