/**
 * Finds rectangles in a picture that look like the fields of a form: frames of one colour around a surface of one colour, as wide
 * and as high as a field is. It knows no model: a field without a visible frame is not found.
 */
import type { Box } from './reading.ts';

/** A picture of one channel: a byte for each pixel, row by row. */
export interface Grey {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

const least = { width: 36, height: 14 };
const mostHeight = 400;
/** A line of a frame differs so much from the surface beside it, of 255. */
const contrast = 24;
/** Pixels of a line are of one grey, give or take. Corners may be round: so many pixels at the ends of a line may lack. */
const sameGrey = 10;
const corner = 6;
/** A surface that is so much darker than what is around it is a button. */
const buttonContrast = 60;
/** A picture of stripes has a great many lines, and no form. */
const maxLines = 4_000;
const maxFrames = 200;

interface Line {
  readonly from: number;
  readonly to: number;
  readonly y: number;
}

export function toGrey(width: number, height: number, rgba: Uint8ClampedArray): Grey {
  const pixels = new Uint8Array(width * height);
  for (let i = 0; i < pixels.length; i++) pixels[i] = (rgba[4 * i]! * 77 + rgba[4 * i + 1]! * 150 + rgba[4 * i + 2]! * 29) >> 8;
  return { width, height, pixels };
}

/** @returns the frames from top to bottom, at most 200; none overlaps another one. */
export function framesIn(grey: Grey): Box[] {
  const bottoms = linesOf(grey, 1);
  const all = linesOf(grey, -1).flatMap((top) => {
    const bottom = bottoms.find(
      (line) =>
        line.y - top.y >= least.height &&
        line.y - top.y <= mostHeight &&
        Math.abs(line.from - top.from) <= 2 &&
        Math.abs(line.to - top.to) <= 2 &&
        hasSides(grey, top, line),
    );
    if (!bottom || isButton(grey, top, bottom)) return [];
    return [{ x: Math.max(0, top.from - 1), y: top.y, width: top.to - top.from + 2, height: bottom.y - top.y + 1 }];
  });
  const frames: Box[] = [];
  // The lower edge of one field and that of the next one look like a frame, too; the fields themselves are less high.
  for (const frame of all.sort((a, b) => a.height - b.height))
    if (frames.length < maxFrames && !frames.some((other) => overlap(frame, other))) frames.push(frame);
  return frames.sort((a, b) => a.y - b.y || a.x - b.x);
}

/** Horizontal runs of one grey with another grey above them (`side` −1) or below them (1). */
function linesOf({ width, height, pixels }: Grey, side: 1 | -1): Line[] {
  const lines: Line[] = [];
  for (let y = 1; y < height - 1; y++) {
    let from = 0;
    for (let x = 1; x <= width; x++) {
      const here = y * width + x;
      const goesOn =
        x < width &&
        Math.abs(pixels[here]! - pixels[here - 1]!) <= sameGrey &&
        Math.abs(pixels[here]! - pixels[here + side * width]!) >= contrast ===
          Math.abs(pixels[here - 1]! - pixels[here - 1 + side * width]!) >= contrast;
      if (goesOn) continue;
      const differs = Math.abs(pixels[y * width + from]! - pixels[y * width + from + side * width]!) >= contrast;
      if (differs && x - from >= least.width) lines.push({ from, to: x - 1, y });
      if (lines.length >= maxLines) return lines;
      from = x;
    }
  }
  return lines;
}

/** Whether both sides are drawn: right at the ends of the lines the grey changes in most rows. */
function hasSides(grey: Grey, top: Line, bottom: Line): boolean {
  const edge = (x: number) => {
    let rows = 0;
    for (let y = top.y + corner; y <= bottom.y - corner; y++) if (changesNear(grey, x, y)) rows++;
    return rows >= Math.max(1, (bottom.y - top.y - 2 * corner) * 0.95);
  };
  return bottom.y - top.y > 2 * corner ? edge(top.from) && edge(top.to) : changesNear(grey, top.from, (top.y + bottom.y) >> 1);
}

function changesNear({ width, pixels }: Grey, x: number, y: number): boolean {
  for (let at = Math.max(1, x - corner); at <= Math.min(width - 1, x + corner); at++)
    if (Math.abs(pixels[y * width + at]! - pixels[y * width + at - 1]!) >= contrast) return true;
  return false;
}

function isButton({ width, pixels }: Grey, top: Line, bottom: Line): boolean {
  const x = Math.min(width - 1, top.from + 2);
  const inside = pixels[((top.y + bottom.y) >> 1) * width + x]!;
  const above = pixels[Math.max(0, top.y - 3) * width + x]!;
  return above - inside >= buttonContrast;
}

const overlap = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
