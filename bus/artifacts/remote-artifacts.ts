/**
 * The artifacts for a member of a crew with roles that may not read the streams: the nodes list them, and give them part by part.
 */
import { CoxError } from '../../platform/errors.ts';
import { askNode } from '../ask-node.ts';
import type { Bus } from '../bus.ts';
import type { ArtifactRow } from '../messages.ts';
import { type Artifacts, maxArtifactBytes, sha256Of } from './artifacts.ts';

/** The reply to `artifact`. */
export interface ArtifactPart {
  readonly artifact: ArtifactRow;
  /** Number of parts. */
  readonly parts: number;
  readonly base64: string;
}

/** The reads of artifacts that a client can make, of their stream or by the nodes. */
export type ReadableArtifacts = Pick<Artifacts, 'read' | 'readMade'>;

export function remoteArtifacts(bus: Bus): ReadableArtifacts {
  const ask = (ref: string, part: number) => askNode<ArtifactPart>(bus, 'artifact', { ref, part });
  const all = async (ref: string) => {
    const { artifact, parts, base64 } = await ask(ref, 0);
    const pieces = [Buffer.from(base64, 'base64')];
    for (let i = 1, bytes = pieces[0]!.length; i < parts && bytes <= maxArtifactBytes; i++) {
      pieces.push(Buffer.from((await ask(ref, i)).base64, 'base64'));
      bytes += pieces[i]!.length;
    }
    const bytes = Buffer.concat(pieces);
    if (artifact.sha256 !== null && sha256Of(bytes) !== artifact.sha256)
      throw new CoxError('bad-artifact', `The artifact ${ref} is damaged`, { hint: 'What it kept is lost.' });
    return { artifact, bytes };
  };
  return {
    read: async (ref) => {
      const { artifact, bytes } = await all(ref);
      return artifact.sha256 === null ? null : { bytes };
    },
    readMade: async (ref) => {
      const { artifact, bytes } = await all(ref);
      const { name, type, sha256 } = artifact;
      if (name === null || type === null || sha256 === null)
        throw new CoxError('artifact-gone', `The artifact ${ref} has no file name`, { hint: 'cox artifact prints it.' });
      return { made: { ref, name, type, bytes: bytes.length, sha256 }, bytes };
    },
  };
}
