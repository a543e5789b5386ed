/** The operator is told whether a line was said. */
import { Refused } from '../http.ts';
import { say } from '../say.ts';
import { line } from '../text.ts';

export const said = (): void => say('Said.', 'good');

export function problemOf(cause: unknown): void {
  const { message, hint } = cause instanceof Refused ? cause : { message: String(cause), hint: '' };
  say(`${line(message, 240)}. ${line(hint, 240)}`, 'bad');
}
