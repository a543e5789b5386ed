import { describe, expect, it } from 'vitest';
import { createMachine } from 'xstate';
import { svgOf, themes } from '../../cli/chart/chart-svg.ts';
import { text } from '../../cli/chart/elk-graph.ts';
import { type Area, type Layout, layOut, type Point } from '../../cli/chart/layout.ts';
import { textWidth } from '../../cli/chart/text-width.ts';
import { descend, pathOf, rootOf } from '../../machines/chart/chart.ts';
import { chartPicture } from '../../machines/chart/chart-picture.ts';
import { routesOf } from '../../machines/chart/routes.ts';
import { subAgent } from '../../machines/sub-agent.ts';
import { pictures } from './charts.ts';
import { captions, keyOf, lifePicture, words } from './life-picture.ts';

/** Whether two areas share a point. A piece of a line is an area without width or without height. */
const meet = (one: Area, other: Area): boolean =>
  one.x < other.x + other.width && other.x < one.x + one.width && one.y < other.y + other.height && other.y < one.y + one.height;
const piece = (from: Point, to: Point): Area => ({
  x: Math.min(from.x, to.x) - 0.5,
  y: Math.min(from.y, to.y) - 0.5,
  width: Math.abs(to.x - from.x) + 1,
  height: Math.abs(to.y - from.y) + 1,
});
/** The area of lines of text. They are centred in their place, and may be narrower or wider than it. */
const written = (lines: readonly string[], { x, y, width: place }: Area): Area => {
  const width = Math.max(...lines.map((line) => textWidth(line, text.size)));
  return { x: x + (place - width) / 2, y, width, height: lines.length * text.height };
};
const textsOf = ({ boxes, arrows }: Layout) => [
  ...boxes.filter(({ box }) => box.tone !== 'start').map(({ box, words: area }) => ({ text: box.id, area })),
  ...arrows.flatMap(({ arrow, label }) => (label ? [{ text: arrow.label.join(' '), area: written(arrow.label, label) }] : [])),
];
const piecesOf = ({ arrows }: Layout) =>
  arrows.flatMap(({ arrow, points }) =>
    points.slice(1).map((point, index) => ({ arrow: `${arrow.from} → ${arrow.to}`, from: points[index]!, to: point })),
  );

const layouts = await Promise.all(
  Object.entries(pictures).map(async ([name, picture]) => ({ name, picture, layout: await layOut(picture) })),
);

describe.each(layouts)('the picture $name', ({ picture, layout }) => {
  it('has no text that overlaps another or leaves the picture', () => {
    const texts = textsOf(layout);
    const overlaps = texts.flatMap((one, index) =>
      texts
        .slice(index + 1)
        .filter(({ area }) => meet(one.area, area))
        .map(({ text }) => `${one.text} | ${text}`),
    );
    expect(overlaps).toEqual([]);
    const outside = texts.filter(
      ({ area: { x, y, width, height } }) => x < 0 || y < 0 || x + width > layout.width || y + height > layout.height,
    );
    expect(outside).toEqual([]);
  });

  it('has no arrow through a text', () => {
    const crossed = textsOf(layout).flatMap(({ text, area }) =>
      piecesOf(layout)
        .filter(({ from, to }) => meet(area, piece(from, to)))
        .map(({ arrow }) => `${arrow} through ${text}`),
    );
    expect(crossed).toEqual([]);
  });

  it('has arrows of horizontal and vertical pieces, from the border of one box to the border of another', () => {
    expect(piecesOf(layout).filter(({ from, to }) => from.x !== to.x && from.y !== to.y)).toEqual([]);
    const isAtBorder = ({ x, y }: Point, id: string) => {
      const box = layout.boxes.find((placed) => placed.box.id === id)!;
      const { width, height } = box;
      const near = (one: number, other: number) => Math.abs(one - other) <= 1;
      const isWithin = x >= box.x - 1 && x <= box.x + width + 1 && y >= box.y - 1 && y <= box.y + height + 1;
      return isWithin && (near(x, box.x) || near(x, box.x + width) || near(y, box.y) || near(y, box.y + height));
    };
    const astray = layout.arrows.filter(
      ({ arrow, points }) => !isAtBorder(points[0]!, arrow.from) || !isAtBorder(points.at(-1)!, arrow.to),
    );
    expect(astray.map(({ arrow }) => `${arrow.from} → ${arrow.to}`)).toEqual([]);
  });

  it('has a description in words, and no text below 12 pixels', async () => {
    for (const svg of Object.values(await svgOf(picture))) {
      expect(svg).toMatch(/<title id="title">[^<]+<\/title>\n<desc id="desc">[^<]+<\/desc>/);
      const sizes = [...svg.matchAll(/font-size: (?<size>[\d.]+)px/g)].map(({ groups }) => Number(groups!.size));
      expect(sizes.length).toBeGreaterThan(0);
      expect(Math.min(...sizes)).toBeGreaterThanOrEqual(12);
    }
  });
});

/** The contrast of two colours by WCAG 2. */
function contrast(one: string, other: string): number {
  const luminance = (colour: string): number => {
    const channels = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);
    const [red, green, blue] = channels.map((channel) =>
      channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
  };
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

describe.each(Object.entries(themes))('the %s theme', (_name, { canvas, text, muted, line, tones }) => {
  const { start: _dot, ...boxes } = tones;
  it.each(Object.entries({ canvas: [canvas, line] as const, ...boxes }))('is readable on %s', (_tone, [inside, border]) => {
    expect(contrast(text, inside)).toBeGreaterThan(4.5);
    expect(contrast(muted, inside)).toBeGreaterThan(4.5);
    expect(contrast(line, inside)).toBeGreaterThan(3);
    expect(contrast(border, inside)).toBeGreaterThan(3);
    expect(contrast(border, canvas)).toBeGreaterThan(3);
  });
});

describe('the life of a sub-agent', () => {
  const root = rootOf(subAgent);

  it('has words for no state and no route that the chart lacks', () => {
    const states = descend(root).map((node) => pathOf(root, node));
    expect(Object.keys(captions).filter((state) => !states.includes(state))).toEqual([]);
    expect(Object.keys(words).sort()).toEqual(routesOf(root).map(keyOf).sort());
  });

  it.each(Object.entries(words))('says of %s what its transitions do', (key, { by }) => {
    expect(routesOf(root).find((route) => keyOf(route) === key)?.by).toEqual(expect.arrayContaining([...by]));
  });

  it('is not drawn for a chart that has a state or a route without words', () => {
    const renamed = createMachine({ initial: 'resting', states: { resting: {} } });
    expect(() => lifePicture(renamed)).toThrow('no words for resting');
    const another = createMachine({ initial: 'idle', states: { idle: { on: { SKIP: 'done' } }, done: { type: 'final' } } });
    expect(() => lifePicture(another)).toThrow('no words for idle → done');
  });
});

describe('routes', () => {
  it('lead through states that are left at once, and connect the outermost states', () => {
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      on: { STOP: '.z' },
      states: {
        a: { on: { GO: 'b' } },
        b: {
          initial: 'choice',
          on: { AGAIN: '.choice' },
          states: {
            choice: { always: [{ guard: 'isOver', target: '#m.z' }, { target: 'y' }] },
            x: { on: { BACK: 'choice' } },
            y: { on: { NEXT: 'x', SAME: 'choice' } },
          },
        },
        z: { type: 'final' },
      },
    });
    const routes = routesOf(rootOf(machine)).map((route) => `${keyOf(route)} by ${route.by.join(', ')}`);
    expect(routes.sort()).toEqual([
      'a → b by GO',
      'any → z by STOP',
      'b → b by AGAIN',
      'b → z by [isOver], BACK, SAME',
      'b.x → b.y by BACK, else',
      'b.y → b.x by NEXT',
    ]);
  });
});

describe('text', () => {
  it('gets more space when it is wider by the table, and characters outside the table get the most', () => {
    expect(textWidth('WWW', 10)).toBeGreaterThan(textWidth('iii', 10));
    expect(textWidth('a', 100, 'bold')).toBeGreaterThan(textWidth('a', 100));
    expect(textWidth('測', 10)).toBe(textWidth('W', 10));
  });

  it('keeps its < and & in a picture', async () => {
    const machine = createMachine({ id: 'm', initial: 'a', states: { a: { on: { 'X<Y&Z': 'b' } }, b: {} } });
    const { light } = await svgOf(chartPicture(machine, 'down'));
    expect(light).toContain('>X&lt;Y&amp;Z</text>');
    expect(light).not.toContain('X<Y');
  });
});
