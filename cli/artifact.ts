/** Reads an artifact by the name that an operator typed. */
import { type ArtifactPlace, parseArtifactName } from '../bus/artifacts/artifact-name.ts';
import { type Content, sha256Of } from '../bus/artifacts/artifacts.ts';
import { fileNameOf, type Label } from '../bus/artifacts/label.ts';
import type { Crew } from '../bus/crew.ts';
import { codeOf } from '../platform/errors.ts';
import { usageError } from './errors.ts';

export interface FoundArtifact {
  /** The name that its task gave it; for one that a call replaced or showed, a name that is made of the ref. */
  readonly label: Label;
  /** Null: the artifact says that there was no file. */
  readonly content: Content | null;
  readonly sha256: string | null;
}

/** @throws CoxError `usage`, `artifact-gone`, `bad-artifact`. */
export async function readArtifact(crew: Crew, ref: string): Promise<FoundArtifact> {
  const place = parseArtifactName(ref);
  if (!place)
    throw usageError(
      `"${ref}" is not the name of an artifact.`,
      'It looks like k3xq.4/s2-0/made-0: cox artifacts <id> lists those of a task.',
    );
  const artifacts = crew.artifacts();
  if (typeof place.n === 'string')
    try {
      const { made, bytes } = await artifacts.readMade(ref);
      return { label: { name: made.name, type: made.type }, content: { bytes }, sha256: made.sha256 };
    } catch (cause) {
      // The whole of a diff that an approval shows has no name of its own.
      if (!place.n.startsWith('preview-') || codeOf(cause) !== 'artifact-gone') throw cause;
    }
  const content = await artifacts.read(ref);
  return { label: unnamed(place), content, sha256: content && sha256Of(content.bytes) };
}

const unnamed = ({ task, call, n }: ArtifactPlace): Label =>
  typeof n === 'number'
    ? { name: fileNameOf(`${task}-${call}-${n}`), type: 'application/octet-stream' }
    : { name: fileNameOf(`${task}-${call}-${n}.txt`), type: 'text/plain' };
