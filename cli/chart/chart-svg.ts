/** A picture as SVG text: real text in the reader’s own sans-serif font, light or dark. */

import type { Picture, Tone } from '../../machines/chart/picture.ts';
import { text } from './elk-graph.ts';
import { type Layout, layOut, type PlacedBox, type Point } from './layout.ts';

export type Theme = 'light' | 'dark';
interface Colours {
  readonly canvas: string;
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  /** Fill and border of a box of each tone. */
  readonly tones: Readonly<Record<Tone, readonly [inside: string, border: string]>>;
}
/** Each text has a contrast of at least 4.5 : 1 with its background (WCAG AA), each border 3 : 1; a test computes them. */
export const themes: Readonly<Record<Theme, Colours>> = {
  light: {
    canvas: '#ffffff',
    text: '#1f2328',
    muted: '#4d5661',
    line: '#59636e',
    tones: {
      plain: ['#f6f8fa', '#6e7781'],
      works: ['#ddf4ff', '#0969da'],
      waits: ['#fff8c5', '#9a6700'],
      ends: ['#dafbe1', '#1a7f37'],
      any: ['#ffffff', '#6e7781'],
      start: ['#59636e', '#59636e'],
    },
  },
  dark: {
    canvas: '#0d1117',
    text: '#f0f6fc',
    muted: '#b1bac4',
    line: '#9198a1',
    tones: {
      plain: ['#1c2128', '#8b949e'],
      works: ['#0c2d4d', '#4493f8'],
      waits: ['#382a06', '#d29922'],
      ends: ['#0f2f1a', '#3fb950'],
      any: ['#0d1117', '#8b949e'],
      start: ['#9198a1', '#9198a1'],
    },
  },
};

const escaped = (line: string): string => line.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const linesAt = (lines: readonly string[], x: number, top: number, kind: 'label' | 'caption'): string[] =>
  lines.map((line, index) => `<text class="${kind}" x="${x}" y="${top + index * text.height + 12}">${escaped(line)}</text>`);

function wordsAt({ box, words }: PlacedBox): string[] {
  const isOuter = box.inside.length > 0;
  const x = isOuter ? words.x : words.x + words.width / 2;
  const lines = [
    `<text class="name" x="${x}" y="${words.y + 15}">${escaped(box.name)}</text>`,
    ...linesAt(box.caption, x, words.y + text.nameHeight, 'caption'),
  ];
  return isOuter ? ['<g class="left">', ...lines, '</g>'] : lines;
}

function boxAt(placed: PlacedBox, { tones }: Colours): string[] {
  const { box, x, y, width, height } = placed;
  const [inside, border] = tones[box.tone];
  if (box.tone === 'start') return [`<circle cx="${x + width / 2}" cy="${y + height / 2}" r="${width / 2}" fill="${inside}"/>`];
  const stroke = box.mark === 'active' ? 4 : box.mark === 'passed' ? 2.5 : 1.5;
  const colours = `fill="${inside}" stroke="${border}" stroke-width="${stroke}"${box.tone === 'any' ? ' stroke-dasharray="5 4"' : ''}`;
  return [`<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8" ${colours}/>`, ...wordsAt(placed)];
}

/** A line through the points with rounded corners. */
function pathOf(points: readonly Point[]): string {
  const toward = (from: Point, to: Point): Point => {
    const length = Math.abs(to.x - from.x) + Math.abs(to.y - from.y);
    const radius = Math.min(6, length / 2);
    return { x: from.x + Math.sign(to.x - from.x) * radius, y: from.y + Math.sign(to.y - from.y) * radius };
  };
  const [first, ...rest] = points;
  const corners = rest.map((point, index) => {
    const next = rest[index + 1];
    if (!next) return `L${point.x} ${point.y}`;
    const before = toward(point, points[index]!);
    const after = toward(point, next);
    return `L${before.x} ${before.y}Q${point.x} ${point.y} ${after.x} ${after.y}`;
  });
  return `M${first!.x} ${first!.y}${corners.join('')}`;
}

/** Two files instead of one with `prefers-color-scheme`: on a code host the reader’s theme may differ from the browser’s. */
export async function svgOf(picture: Picture): Promise<Record<Theme, string>> {
  const layout = await layOut(picture);
  return { light: written(picture, layout, themes.light), dark: written(picture, layout, themes.dark) };
}

const family = 'system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif';
const headSize =
  'viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"';

function written({ title, description, notes }: Picture, { width, height, boxes, arrows }: Layout, colours: Colours): string {
  const bottom = height + (notes.length > 0 ? notes.length * text.height + 8 : 0);
  const size = `width="${width}" height="${bottom}"`;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${width} ${bottom}" role="img" aria-labelledby="title desc">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="desc">${escaped(description)}</desc>`,
    '<style>',
    `text { font-family: ${family}; font-size: ${text.size}px; text-anchor: middle; fill: ${colours.text} }`,
    `.name { font-size: ${text.nameSize}px; font-weight: 600 }`,
    '.left text { text-anchor: start }',
    `.caption { fill: ${colours.muted} }`,
    '</style>',
    `<marker id="head" ${headSize}><path d="M0 0L8 4L0 8z" fill="${colours.line}"/></marker>`,
    `<rect ${size} rx="8" fill="${colours.canvas}"/>`,
    ...boxes.flatMap((box) => boxAt(box, colours)),
    ...arrows.map(
      ({ points, arrow }) =>
        `<path d="${pathOf(points)}" fill="none" stroke="${colours.line}" stroke-width="${arrow.taken ? 3.5 : 1.5}" marker-end="url(#head)"/>`,
    ),
    ...arrows.flatMap(({ arrow, label }) => (label ? linesAt(arrow.label, label.x + label.width / 2, label.y, 'label') : [])),
    ...linesAt(notes, width / 2, height - 4, 'caption'),
    '</svg>',
  ];
  return `${lines.join('\n')}\n`;
}
