/**
 * The boundary to code of others: the functions of kinds and tools that a program brings (docs/security.md, "Code of others").
 * They get copies. What they return is copied as JSON and compared with a schema, and whatever they throw becomes an error of
 * ours. So nothing of theirs, such as a getter, a proxy or a circle, reaches a chart, a record or the log.
 */
import { z } from 'zod';
import { Change } from '../../bus/messages.ts';
import { describe } from '../../bus/parse-message.ts';
import { fitted } from '../../platform/cut.ts';
import { CoxError, codeOf, messageOf } from '../../platform/errors.ts';
import { ModelError } from '../../roster/errors.ts';
import { Denied, InDoubt, Outdated, type ToolOutput, type ToolPreview } from '../tools/tool.ts';

export const ThoughtReply = z.union([
  z.string(),
  z.object({
    text: z.string(),
    calls: z.array(z.object({ tool: z.string().min(1), args: z.unknown() })).optional(),
  }),
]);
// In what was copied as JSON no optional field is there and undefined.
export const RunOutput = z.object({
  text: z.string(),
  artifacts: z.array(z.string()).optional(),
  changes: z.array(Change).optional(),
  sources: z.array(z.string()).optional(),
  images: z.array(z.string()).optional(),
}) as z.ZodType as z.ZodType<ToolOutput>;
export const Shown = z.object({
  text: z.string(),
  base: z.string(),
  whole: z.string().optional(),
  ask: z.boolean().optional(),
  secret: z.literal(true).optional(),
}) as z.ZodType as z.ZodType<ToolPreview>;
/** The reply of `check`: the fault that it has found, or null. */
export const Wrong = z.string().nullable();
export const Target = z.string();
export const EffectsWord = z.enum(['none', 'idempotent', 'writes']);

/** Longest text of an error, in characters: a model or an operator reads it. */
const maxWordsChars = 4_000;

/**
 * Runs code of others.
 * @param what names it in errors: `the tool look_up_stock`.
 * @returns what it returned, as plain JSON.
 * @throws CoxError `bad-return` if that does not fit the schema; Outdated, Denied, InDoubt and ModelError if it threw one; else
 * an Error with the words of what it threw.
 */
export async function heardFrom<T>(what: string, schema: z.ZodType<T>, run: () => unknown): Promise<T> {
  let returned: unknown;
  try {
    returned = await run();
  } catch (cause) {
    throw errorFrom(what, cause);
  }
  return checked(what, schema, returned);
}

function checked<T>(what: string, schema: z.ZodType<T>, returned: unknown): T {
  let problem: string;
  try {
    const parsed = schema.safeParse(JSON.parse(JSON.stringify(returned) ?? 'null'));
    if (parsed.success) return parsed.data;
    problem = describe(parsed.error);
  } catch (cause) {
    problem = messageOf(cause);
  }
  throw new CoxError('bad-return', `${what} returned what cannot be used (bad-return): ${problem}`, {
    hint: 'Correct its code: docs/library.md says what it may return.',
  });
}

function errorFrom(what: string, cause: unknown): Error {
  const said = messageOf(cause);
  const words = said.trim() === '' ? `${what} failed without a word` : fitted(said, maxWordsChars);
  try {
    if (cause instanceof Outdated) return new Outdated(words);
    if (cause instanceof Denied) return new Denied(words);
    if (cause instanceof InDoubt) return new InDoubt(words);
    if (cause instanceof ModelError) {
      const backend = fitted(String(cause.backend), maxWordsChars);
      const retryable = cause.retryable === true;
      return new ModelError(codeOf(cause), backend, words.replace(`${backend}: `, ''), { retryable });
    }
    if (cause instanceof CoxError) return new CoxError(codeOf(cause), words, { hint: fitted(String(cause.hint), maxWordsChars) });
  } catch {
    // It only looked like one of ours.
  }
  return new Error(words);
}
