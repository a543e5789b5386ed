/** The whole of an answer whose conversation and result have the beginning (bus/artifacts/long-text.ts). */
import type { Artifacts } from '../../bus/artifacts/artifacts.ts';
import { wholeIn, wholeOf } from '../../bus/artifacts/long-text.ts';
import { CoxError } from '../../platform/errors.ts';
import type { Found } from './role.ts';

/** The result, which says where the whole of a long output is kept. */
export async function withWhole(artifacts: Artifacts, task: string, found: Found): Promise<Found> {
  if (found.output === null) return found;
  const whole = await wholeOf(artifacts, task, found.output).catch((cause: unknown) => {
    // Somebody has written something else in its place. The task ends all the same.
    if (cause instanceof CoxError && cause.code === 'bad-artifact') return undefined;
    throw cause;
  });
  return whole ? { ...found, whole } : found;
}

/** All of the answer. @throws CoxError `artifact-gone`, `bad-artifact`. */
export async function wholeAnswer(artifacts: Artifacts, task: string, answer: string): Promise<string> {
  const whole = wholeIn(answer);
  if (!whole?.ref.startsWith(`${task}/result/`)) return answer;
  const { bytes } = await artifacts.readMade(whole.ref);
  return Buffer.from(bytes).toString();
}
