/** Durations and sizes as people write them: `30d`, `12h`, `1.5GB`. The roster and the command line's options use them. */
import { z } from 'zod';

const ms = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const bytes = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 } as const;

/** Milliseconds, or null where the text is not a duration. */
export const durationMs = (text: string): number | null => measured(text, ms, (unit) => unit);

/** Bytes, or null where the text is not a size. */
export const sizeBytes = (text: string): number | null => measured(text, bytes, (unit) => unit.toLowerCase());

function measured(text: string, units: Readonly<Record<string, number>>, spell: (unit: string) => string): number | null {
  const [, number, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?) ?([A-Za-z]{1,2})$/.exec(text.trim()) ?? [];
  const factor = Object.entries(units).find(([name]) => name === spell(unit))?.[1];
  return number === undefined || factor === undefined ? null : Math.round(Number(number) * factor);
}

const quantity = (parse: (text: string) => number | null, expected: string) =>
  z.string().transform((text, check) => {
    const value = parse(text);
    if (value === null) check.addIssue({ code: 'custom', message: `expected ${expected}` });
    return value ?? z.NEVER;
  });

export const Duration = quantity(durationMs, 'a duration such as 30d, 12h, 15m or 90s');
export const Size = quantity(sizeBytes, 'a size such as 500MB or 2GB');
