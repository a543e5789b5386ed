/**
 * Makes a message fit the limit of the server by cutting its longest texts. For projections, whose whole text is in the state
 * record. Rule `fits` (docs/task-protocol.md).
 */
import { beginningOf } from '../../platform/cut.ts';

/** Longest text of a message that did not fit, in characters: the first of these with which it fits. Ids are never cut. */
const lengths = [262_144, 65_536, 16_384, 4_096, 1_024, 256];

/** The message as JSON in at most `maxBytes`, or as short as it can be. The same for every process with the same limit. */
export function fittedJson(message: unknown, maxBytes: number): string {
  let json = JSON.stringify(message);
  for (const maxChars of lengths) {
    if (Buffer.byteLength(json) <= maxBytes) return json;
    json = JSON.stringify(message, (_, value: unknown) => (typeof value === 'string' ? cut(value, maxChars) : value));
  }
  return json;
}

function cut(text: string, maxChars: number): string {
  const kept = beginningOf(text, maxChars);
  return kept === text ? text : `${kept} [… ${(text.length - kept.length).toLocaleString('en')} more characters]`;
}
