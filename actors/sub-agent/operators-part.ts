/** Errors of tools about which only the operator can do something. They are shown, whatever the model makes of them. */
import { codeOf, messageOf } from '../../platform/errors.ts';

const codes = new Set(['web-refused', 'no-browser', 'browser-failed', 'no-npm', 'download-failed', 'no-space']);

export function noteOperatorsPart(host: { note(text: string): void }, tool: string, cause: unknown): void {
  if (codes.has(codeOf(cause))) host.note(`${tool}: ${messageOf(cause)}`);
}
