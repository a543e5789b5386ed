/** Rule `foreign-messages` (docs/task-protocol.md). */

import type { z } from 'zod';
import { beginningOf } from '../platform/cut.ts';

/** @returns null for a message that is not JSON or does not fit the schema: any client may publish anything. */
export function parseMessage<Schema extends z.ZodType>(schema: Schema, data: Uint8Array): z.infer<Schema> | null {
  try {
    return schema.safeParse(JSON.parse(new TextDecoder().decode(data))).data ?? null;
  } catch {
    return null;
  }
}

const maxIssues = 8;
/** Input may be repeated up to this length, in characters, in a reply, a receipt, a status or a log line. */
export const maxQuotedChars = 200;

/** A text of somebody else, cut to `maxQuotedChars`, with the number of characters that are left out. */
export function quoted(text: string): string {
  const kept = beginningOf(text, maxQuotedChars).toWellFormed();
  return kept.length < text.length ? `${kept} … (${text.length - kept.length} more characters)` : kept;
}

/** The problems of a refused value in words, each with the field: `text: too big …; urgency: …`. Quoted input is cut. */
export function describe({ issues }: z.ZodError): string {
  const shown = issues
    .slice(0, maxIssues)
    .map(({ path, message }) => quoted(path.length ? `${path.join('.')}: ${message}` : message));
  return [...shown, ...(issues.length > maxIssues ? [`${issues.length - maxIssues} more problems`] : [])].join('; ');
}
