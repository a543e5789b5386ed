/** What the operator is told about a line that was said, or was not. */
import { Refused } from '../http.ts';
import { say } from '../say.ts';
import { line } from '../text.ts';

export const said = (): void => say('Said.', 'good');

export function problemOf(cause: unknown): void {
  const { message, hint } = cause instanceof Refused ? cause : { message: String(cause), hint: '' };
  say(`${line(message, 240)}. ${line(hint, 240)}`, 'bad');
}
