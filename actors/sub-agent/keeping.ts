/** Keeps what a call replaces (`ToolContext.keep`, docs/adr/0024). */
import { type ArtifactPlace, artifactName } from '../../bus/artifacts/artifact-name.ts';
import type { Artifacts } from '../../bus/artifacts/artifacts.ts';
import type { Change } from '../../machines/effects.ts';
import { CoxError } from '../../platform/errors.ts';
import type { ToolContext } from '../tools/tool.ts';

/** Errors that say that a content cannot be kept at all. Every other error ends the call before it has replaced anything. */
const cannotBeKept = ['artifact-too-big', 'bad-artifact', 'message-too-big'];

/** Every run of a call numbers what it keeps from 0, so that a second run finds what the first one kept. */
export function keeping(
  artifacts: Artifacts,
  of: Omit<ArtifactPlace, 'n'>,
  signal: AbortSignal,
): NonNullable<ToolContext['keep']> {
  let n = 0;
  return async (content) => {
    const place = { ...of, n: n++ };
    try {
      return { name: artifactName(place), content: await artifacts.keep(place, content, signal) };
    } catch (cause) {
      if (cause instanceof CoxError && cannotBeKept.includes(cause.code)) return null;
      throw cause;
    }
  };
}

/** Targets with content of which nothing was kept, so that the call cannot be undone there. */
export const notKept = (changes: readonly Change[] = []): string[] =>
  changes.filter(({ before, after }) => after !== undefined && before === undefined).map(({ target }) => target);
