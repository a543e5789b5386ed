/** Rule `foreign-messages` (docs/task-protocol.md). */
import type { z } from 'zod';

/** @returns null for a message that is not JSON or does not fit the schema: any client may publish anything. */
export function parseMessage<Schema extends z.ZodType>(schema: Schema, data: Uint8Array): z.infer<Schema> | null {
  try {
    return schema.safeParse(JSON.parse(new TextDecoder().decode(data))).data ?? null;
  } catch {
    return null;
  }
}

/** Describes why a value was refused, problem by problem, each with its field: `text: too big …; urgency: …`. */
export const describe = (error: z.ZodError): string =>
  error.issues.map(({ path, message }) => (path.length ? `${path.join('.')}: ${message}` : message)).join('; ');
