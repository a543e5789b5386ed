/** Figures as text for people: tokens, times, dollars. */
import type { Usage } from '../../bus/messages.ts';

export const tokens = (count: number): string =>
  count < 1000
    ? String(count)
    : count < 1_000_000
      ? `${(count / 1000).toFixed(count < 10_000 ? 1 : 0)}k`
      : `${(count / 1_000_000).toFixed(1)}M`;

/** The time from `since` to `now` in a fitting unit: `12 s`, `3 min`, `5 h`, `2 days`. */
export function ago(since: string, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - Date.parse(since)) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** An amount as `$1.23`; below a cent with two significant digits; an empty string for zero. */
export const dollars = (costUsd: number): string =>
  costUsd === 0 ? '' : costUsd < 0.01 ? `$${costUsd.toPrecision(2)}` : `$${costUsd.toFixed(2)}`;

/** If part of the cost is an estimate, the total is an upper bound and reads "up to". */
export function usageText({ inputTokens, outputTokens, costUsd, estimatedUsd = 0 }: Usage): string {
  if (inputTokens + outputTokens + costUsd === 0) return '';
  const spent = `${estimatedUsd > 0 ? 'up to ' : ''}${dollars(costUsd)}`;
  return `${tokens(inputTokens + outputTokens)} tokens${spent && `, ${spent}`}`;
}

/** A number of bytes in the unit that people read: `640 bytes`, `12 kB`, `3.4 MB`. */
export const byteCount = (bytes: number): string =>
  bytes < 1_000
    ? `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`
    : bytes < 999_500
      ? `${(bytes / 1_000).toFixed(bytes < 9_950 ? 1 : 0)} kB`
      : `${(bytes / 1_000_000).toFixed(bytes < 9_950_000 ? 1 : 0)} MB`;
