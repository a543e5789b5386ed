/** The effects of a task as its result lists them: all of them, or the latest where there are too many. */
import { type Effect, maxEffects, type Result } from '../../bus/messages.ts';

/** Most sources that a result lists. */
export const maxSources = 256;

export function listedEffects(all: readonly Effect[]): Pick<Result, 'effects' | 'effectsLeftOut'> {
  const leftOut = all.length - maxEffects;
  return { effects: all.slice(-maxEffects), ...(leftOut > 0 && { effectsLeftOut: leftOut }) };
}
