/** Times for people: short, in the time zone of the operator. `--json` has them in ISO 8601. */
import { ago } from './figures.ts';

/** `12:04` for a time of today, else `26 Nov 12:04`, with the year if it is another one. */
export function shortTime(iso: string, now: Date): string {
  const at = new Date(iso);
  const clock = at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (at.toDateString() === now.toDateString()) return clock;
  const isThisYear = at.getFullYear() === now.getFullYear();
  const day = at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', ...(!isThisYear && { year: 'numeric' }) });
  return `${day} ${clock}`;
}

/** `12:04 (3 min ago)` */
export const timeAndAge = (iso: string, now: Date): string => `${shortTime(iso, now)} (${ago(iso, now)} ago)`;
