/** Keeps what a file tool is about to replace, and reports the change (`cox undo`, docs/adr/0024). */
import { readFile, stat } from 'node:fs/promises';
import { type Content, maxArtifactBytes, sha256Of } from '../../bus/artifacts/artifacts.ts';
import type { Change } from '../../machines/effects.ts';
import { codeOf } from '../../platform/errors.ts';
import type { ToolContext } from './tool.ts';

export interface KeptFile {
  /** Name of the artifact; null: there was no file. Left out if the file could not be kept. */
  readonly before?: string | null;
  /** The file as it was before the first run of the call. Left out with `before`. */
  readonly content?: Content | null;
  /** Whether there was a file before the first run of the call. */
  readonly existed: boolean;
}

/** The file as it is; null: there is none. @throws what the system says, such as EISDIR. */
export async function contentOf(file: string): Promise<Content | null> {
  try {
    const { mode } = await stat(file);
    return { bytes: await readFile(file), mode };
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return null;
    throw cause;
  }
}

export const isTooLarge = (file: string): Promise<boolean> =>
  stat(file).then(
    ({ size }) => size > maxArtifactBytes,
    () => false,
  );

/** To be called before the file is replaced, created or removed. A file that is too large to be kept is not read. */
export async function keepFile({ keep }: Pick<ToolContext, 'keep'>, file: string): Promise<KeptFile> {
  if (await isTooLarge(file)) return { existed: true };
  const now = await contentOf(file);
  const kept = await keep?.(now);
  if (!kept) return { existed: now !== null };
  const { name, content } = kept;
  return { before: content && name, content, existed: content !== null };
}

/** @param after the new content; null: the file was removed. */
export const fileChange = (target: string, { before, existed }: KeptFile, after: Uint8Array | null): Change => ({
  target,
  kind: after === null ? 'deleted' : existed ? 'changed' : 'created',
  ...(before !== undefined && { before }),
  after: after && sha256Of(after),
});
