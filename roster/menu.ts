import type { Backend, PictureLimits, Tier } from './backend-schema.ts';
import { keyProblem } from './key.ts';
import { type Learnt, refusesPictures } from './lessons.ts';

/** A backend as `cox menu` and the orchestrating model see it. */
export interface MenuEntry {
  readonly name: string;
  readonly kind: Backend['kind'];
  /** null for kind `command`. */
  readonly model: string | null;
  readonly tier: Tier;
  readonly goodAt: readonly string[];
  readonly canOrchestrate: boolean;
  /** false: it gets no sub-tasks. Left out where it may. */
  readonly canDelegate?: false;
  /** It takes pictures: its entry says so, and it has not refused them. */
  readonly vision: boolean;
  /** Left out for a backend without vision. */
  readonly pictures?: PictureLimits;
  /** US dollars per million tokens; null: unknown. */
  readonly cost: { readonly input: number; readonly output: number } | null;
  /** Tokens; null: unknown. */
  readonly context: number | null;
  readonly concurrency: number;
  readonly inUse: number;
  readonly inLine: number;
  readonly available: boolean;
  /** Why it is not available; null if it is. */
  readonly why: string | null;
  /** What differs from the full protocol, learnt from its refusals. Left out where nothing does. */
  readonly learnt?: readonly Learnt[];
}

/** The current load of a backend. */
export interface Load {
  readonly inUse: number;
  readonly inLine: number;
  /** Milliseconds until calls may start again after failures; 0 if they may start now. */
  readonly restMs: number;
}

export function menuEntry(
  name: string,
  backend: Backend,
  load: Load,
  learnt: readonly Learnt[],
  env: NodeJS.ProcessEnv,
): MenuEntry {
  const why = whyNot(backend, load, env);
  const { kind, tier, goodAt, canOrchestrate, cost, context, concurrency } = backend;
  const vision = backend.vision && backend.kind === 'openai' && !refusesPictures(learnt);
  const model = backend.kind === 'command' ? null : backend.model;
  const { inUse, inLine } = load;
  return {
    name,
    kind,
    model,
    tier,
    goodAt,
    canOrchestrate,
    ...(!backend.canDelegate && { canDelegate: false as const }),
    vision,
    ...(vision && { pictures: backend.pictures }),
    cost,
    context,
    concurrency,
    inUse,
    inLine,
    available: why === null,
    why,
    ...(learnt.length > 0 && { learnt }),
  };
}

function whyNot(backend: Backend, { restMs }: Load, env: NodeJS.ProcessEnv): string | null {
  if (needsOptIn(backend)) return 'it is off until `opt_in: true` is set in the roster (see DISCLAIMER.md)';
  if (backend.kind === 'command') return 'backends of kind command cannot be called yet';
  const key = backend.kind === 'openai' ? keyProblem(backend.key, env) : null;
  if (key !== null) return key;
  return restMs > 0 ? `it has failed several times and is left alone for ${Math.ceil(restMs / 1000)} s` : null;
}

export const needsOptIn = ({ tier, optIn }: Backend): boolean => tier !== 'local' && !optIn;
