/** Text of a stranger who wants a terminal to do or to show something else than it should. */
import type { z } from 'zod';

/** Colours, a cleared screen, a title, C1, bidi, no width, tags, half a character, and lines that look like lines of Coxswain. */
export const hostileText =
  'x\u001b[31mred\u001b[39m\u001b[2J\u001b]0;title\u0007\u009b2J\u007f\u202edlrow\u2066\u200f\u061c\u200b\ufeff\u{e0041}\ud800\u0085\u2028y\nFORGED: all is well\r\nFORGED 2\rFORGED 3';

/** A copy of a message in which every text that its schema leaves free is the hostile one. */
export function hostile<Schema extends z.ZodType>(schema: Schema, message: z.input<Schema>, text = hostileText): z.infer<Schema> {
  let made = structuredClone(message) as unknown;
  for (const path of pathsOf(made)) {
    const tried = withText(made, path, text);
    if (schema.safeParse(tried).success) made = tried;
  }
  return schema.parse(made) as z.infer<Schema>;
}

type Path = readonly (string | number)[];

function pathsOf(value: unknown, at: Path = []): Path[] {
  if (typeof value === 'string') return [at];
  if (Array.isArray(value)) return value.flatMap((each, n) => pathsOf(each, [...at, n]));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => pathsOf(each, [...at, key]));
}

function withText(value: unknown, [key, ...rest]: Path, text: string): unknown {
  if (key === undefined) return text;
  const copy = structuredClone(value) as Record<string | number, unknown>;
  copy[key] = withText(copy[key], rest, text);
  return copy;
}

/** Characters that no terminal may get from a stranger. This pattern was written without that of the product. */
const harmful =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e0fff}]/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const colours = /\u001b\[(?:1|2|22|3[12346]|39)m/g;

/** The lines of an output that a stranger could have written or changed. @param text output in which our colours may be. */
export const strangeLines = (text: string): string[] =>
  text
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
    .filter((line) => {
      const bare = line.replace(colours, '');
      return harmful.test(bare.replaceAll('\t', ' ')) || /^FORGED/.test(bare);
    });
