/** Reads an artifact by the name that an operator typed. */
import { parseArtifactName } from '../bus/artifacts/artifact-name.ts';
import { Artifacts, type Content } from '../bus/artifacts/artifacts.ts';
import type { Bus } from '../bus/bus.ts';
import { usageError } from './errors.ts';

/** @returns null: the artifact says that there was no file. @throws CoxError `usage`, `artifact-gone`, `bad-artifact`. */
export async function readArtifact(bus: Bus, name: string): Promise<Content | null> {
  if (!parseArtifactName(name))
    throw usageError(
      `"${name}" is not the name of an artifact.`,
      'It looks like k3xq.4/s2-0/0: the effects of a result have it as `before` (cox result <id> --json).',
    );
  return new Artifacts(bus).read(name);
}
