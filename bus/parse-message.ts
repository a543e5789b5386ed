import type { z } from 'zod';

/** @returns null for what is no JSON, or none of this schema: anyone may write anything on a bus. */
export function parseMessage<Schema extends z.ZodType>(schema: Schema, data: Uint8Array): z.infer<Schema> | null {
  try {
    return schema.safeParse(JSON.parse(new TextDecoder().decode(data))).data ?? null;
  } catch {
    return null;
  }
}
