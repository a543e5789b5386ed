/** Figures as people read them: tokens, dollars, times. */
import type { Usage } from '../../../../bus/messages.ts';
import { now } from '../session.ts';

export function count(n: number): string {
  if (n < 1_000) return String(n);
  if (n < 999_500) return `${(n / 1_000).toFixed(n < 9_950 ? 1 : 0)}k`;
  return `${(n / 1_000_000).toFixed(n < 9_950_000 ? 1 : 0)}M`;
}
export const tokensOf = ({ inputTokens, outputTokens }: Usage): number => inputTokens + outputTokens;

/** Dollars; an estimate is marked by a tilde, as in the terminal. */
export function dollars({ costUsd, estimatedUsd = 0 }: Usage): string {
  const mark = estimatedUsd > 0 ? '~' : '';
  if (costUsd === 0) return '$0';
  return `${mark}$${costUsd < 0.01 ? costUsd.toFixed(4) : costUsd.toFixed(2)}`;
}

export function bytes(n: number): string {
  if (n < 1_000) return `${n} B`;
  if (n < 999_500) return `${(n / 1_000).toFixed(n < 9_950 ? 1 : 0)} kB`;
  if (n < 999_500_000) return `${(n / 1_000_000).toFixed(n < 9_950_000 ? 1 : 0)} MB`;
  return `${(n / 1_000_000_000).toFixed(1)} GB`;
}

export function lasting(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1_000));
  if (s < 60) return `${s}s`;
  if (s < 3_600) return `${Math.floor(s / 60)}m ${String(s % 60).padStart(2, '0')}s`;
  if (s < 86_400) return `${Math.floor(s / 3_600)}h ${String(Math.floor((s % 3_600) / 60)).padStart(2, '0')}m`;
  return `${Math.floor(s / 86_400)}d ${Math.floor((s % 86_400) / 3_600)}h`;
}

/** The time since then, which goes on. */
export const Ago = ({ at }: { at: string }) => (
  <time class="num" dateTime={at} title={new Date(at).toLocaleString()}>
    {lasting(now.value - Date.parse(at))}
  </time>
);
