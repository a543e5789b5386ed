/** Rule `foreign-messages` (docs/task-protocol.md). */
import type { z } from 'zod';

/** @returns null for what is no JSON, or none of this schema: anyone may write anything on a bus. */
export function parseMessage<Schema extends z.ZodType>(schema: Schema, data: Uint8Array): z.infer<Schema> | null {
  try {
    return schema.safeParse(JSON.parse(new TextDecoder().decode(data))).data ?? null;
  } catch {
    return null;
  }
}

/** The problems of a refused value in words, each with the field: `text: too big …; urgency: …`. */
export const describe = (error: z.ZodError): string =>
  error.issues.map(({ path, message }) => (path.length ? `${path.join('.')}: ${message}` : message)).join('; ');
