/** The picture or document that a call is about: a file of the workspace, or an artifact of a task of the same tree. */
import { z } from 'zod';
import { parseArtifactName } from '../../../bus/artifacts/artifact-name.ts';
import { wholeOf, withFile } from '../files/open-file.ts';
import { explain } from '../files/paths.ts';
import type { ToolContext } from '../tool.ts';
import { resolveInside } from '../workspace.ts';
import { maxFileBytes } from './format.ts';

export const Source = z
  .string()
  .min(1)
  .max(1024)
  .describe('File, relative to the workspace; or the ref of an artifact, such as k3xq.4/s2-0/made-0.');

export interface FoundSource {
  /** As errors, results and sources name it. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Name of the artifact; null: it is a file. */
  readonly ref: string | null;
}

/** Models copy refs with quotation marks and the like around them. */
const bare = (text: string): string => text.trim().replace(/^["'`<[(]{1,4}|["'`>\])]{1,4}$/g, '');

/** @throws Error for the model to read. */
export async function openSource(given: string, context: ToolContext): Promise<FoundSource> {
  const ref = bare(given);
  if (parseArtifactName(ref)) {
    if (!context.artifact) throw new Error(`${ref} is an artifact, and artifacts cannot be read here; name a file`);
    const { bytes } = await context.artifact(ref);
    return { name: ref, bytes, ref };
  }
  try {
    const path = await resolveInside(context.workspace, given);
    const bytes = await withFile(path, async (open) => {
      if (open.size > maxFileBytes)
        throw new Error(`${given} has ${open.size} bytes; at most ${maxFileBytes} are read. Use a smaller one.`);
      return (await wholeOf(open)).bytes;
    });
    return { name: path.name, bytes, ref: null };
  } catch (cause) {
    throw await explain(given, cause, context.workspace);
  }
}
