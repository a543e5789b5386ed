/**
 * Finds squares in a picture that look like check boxes: an edge all around, with a clean margin outside of it. Inside is either
 * one grey that is not the edge's, or a mark. It knows no model: round boxes, switches and boxes without an edge are not found.
 */
import type { Grey } from './input-frames.ts';
import type { Box, CheckBox } from './reading.ts';

const leastSide = 9;
const mostSide = 34;
/** Corners may be round: so many pixels may lack at both ends of a side. */
const cornerOf = (side: number): number => Math.max(3, Math.ceil(side / 5));
/** The edge differs so much from the margin, of 255. */
const contrast = 24;
/** Pixels of one surface are of one grey, give or take. */
const sameGrey = 12;
/** Most of an edge or a margin must be so; a pixel may be smeared. */
const most = 0.95;
/** The part of the inside that a mark takes. */
const mark = { least: 0.04, most: 0.7 };
const maxBoxes = 200;
/** A picture of stripes has a great many edges, and no form. */
const maxTries = 20_000;

/** @returns the check boxes from top to bottom, at most 200; none overlaps another one. */
export function checkBoxesIn(grey: Grey): CheckBox[] {
  const found: CheckBox[] = [];
  let tries = 0;
  for (let y = 1; y < grey.height - leastSide; y++)
    for (const run of topEdges(grey, y)) {
      const like = squaresUnder(grey, run, y);
      tries += like.length;
      if (tries > maxTries) return found;
      const box = firstBox(grey, like);
      if (box && !found.some((other) => overlap(other.box, box.box))) found.push(box);
      if (found.length === maxBoxes) return found;
    }
  return found;
}

interface Run {
  readonly from: number;
  readonly to: number;
}

/** Runs of pixels that differ from a clean margin above them, as long as the upper edge of a box. */
function topEdges({ width, pixels }: Grey, y: number): Run[] {
  const runs: Run[] = [];
  let from = -1;
  for (let x = 1; x < width; x++) {
    const above = (y - 1) * width + x;
    const isEdge =
      Math.abs(pixels[above + width]! - pixels[above]!) >= contrast && Math.abs(pixels[above]! - pixels[above - 1]!) <= sameGrey;
    if (isEdge && from < 0) from = x;
    if (isEdge || from < 0) continue;
    if (x - from >= leastSide - 2 * cornerOf(leastSide) && x - from <= mostSide) runs.push({ from, to: x - 1 });
    from = -1;
  }
  return runs;
}

/** The squares under an upper edge of which the middles of all sides look as those of a check box. */
function squaresUnder({ width, height, pixels }: Grey, { from, to }: Run, y: number): Box[] {
  const squares: Box[] = [];
  const length = to - from + 1;
  for (let lacking = 0; lacking <= cornerOf(mostSide); lacking++) {
    const side = length + 2 * lacking;
    if (side < leastSide || side > mostSide || lacking > cornerOf(side)) continue;
    const [x, right] = [from - lacking, from - lacking + side];
    if (x < 1 || right >= width) continue;
    const middle = x + (side >> 1);
    const margin = pixels[(y - 1) * width + middle]!;
    const ends = (inner: number, outer: number) =>
      Math.abs(pixels[inner]! - margin) >= contrast && Math.abs(pixels[outer]! - margin) <= sameGrey;
    const row = (y + (side >> 1)) * width;
    for (const bottom of [y + side, y + side - 1, y + side + 1])
      if (
        bottom < height &&
        ends((bottom - 1) * width + middle, bottom * width + middle) &&
        ends(row + x, row + x - 1) &&
        ends(row + right - 1, row + right)
      )
        squares.push({ x, y, width: side, height: bottom - y });
  }
  return squares;
}

function firstBox(grey: Grey, squares: readonly Box[]): CheckBox | null {
  for (const box of squares) {
    const inside = insideOf(grey, box);
    if (inside) return { box, checked: inside === 'marked' };
  }
  return null;
}

/** null: it is no check box. */
function insideOf({ width, pixels }: Grey, box: Box): 'empty' | 'marked' | null {
  const [right, bottom, corner] = [box.x + box.width, box.y + box.height, cornerOf(box.width)];
  const at = (x: number, y: number) => pixels[y * width + x]!;
  const margin = at(box.x + (box.width >> 1), box.y - 1);
  /** The four sides, `out` pixels outside of the edge, without the corners. */
  const sides = (out: number): number[][] => {
    const [across, down] = [range(box.x + corner, right - corner), range(box.y + corner, bottom - corner)];
    return [
      across.map((x) => at(x, box.y - out)),
      across.map((x) => at(x, bottom - 1 + out)),
      down.map((y) => at(box.x - out, y)),
      down.map((y) => at(right - 1 + out, y)),
    ];
  };
  const share = (values: readonly number[], isSo: (value: number) => boolean) => values.filter(isSo).length / values.length;
  if (!sides(1).every((side) => share(side, (value) => Math.abs(value - margin) <= sameGrey) >= most)) return null;
  const edges = sides(0);
  const edge = median(edges.flat());
  if (Math.abs(edge - margin) < contrast) return null;
  if (!edges.every((side) => share(side, (value) => Math.abs(value - edge) <= 2 * sameGrey) >= most)) return null;
  const inner = range(box.y + 2, bottom - 2).flatMap((y) => range(box.x + 2, right - 2).map((x) => at(x, y)));
  const ground = median(inner);
  const marked = share(inner, (value) => Math.abs(value - ground) > sameGrey);
  if (marked >= mark.least && marked <= mark.most) return 'marked';
  return marked < mark.least && Math.abs(ground - edge) > sameGrey ? 'empty' : null;
}

const range = (from: number, to: number): number[] => Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;
const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
