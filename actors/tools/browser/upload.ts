/** The file that a `fill` gives to a page: one of the workspace, or an artifact of the same tree of tasks. */
import { createHash } from 'node:crypto';
import { parseArtifactName } from '../../../bus/artifacts/artifact-name.ts';
import { sizeOf } from '../../../platform/progress.ts';
import { bytesAt, withFile } from '../files/open-file.ts';
import type { ToolContext } from '../tool.ts';
import { contentOf } from '../web/page-content.ts';
import { isFile, resolveInside } from '../workspace.ts';
import { quotedLine, shortPageLine } from './page-words.ts';

export interface Upload {
  /** The name that the page gets. */
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
  /** Where it comes from, for the operator. */
  readonly from: string;
}

const maxUploadBytes = 50_000_000;
const previewBytes = 2_000;
const previewLines = 5;

/**
 * @param given a path in the workspace, or the ref of an artifact. A file of the workspace comes first.
 * @throws Error if it is neither, lies outside of the workspace, or is too large.
 */
export async function uploadOf(given: string, { workspace, artifact }: ToolContext): Promise<Upload> {
  if (artifact && parseArtifactName(given) && !(await isFile(workspace, given))) {
    const { name, type, bytes } = await artifact(given);
    mustNotBeTooLarge(given, bytes.length);
    return { name, mimeType: type, buffer: Buffer.from(bytes), from: `cox artifacts get ${given}` };
  }
  const inside = await resolveInside(workspace, given);
  const bytes = await withFile(inside, async (open) => {
    mustNotBeTooLarge(given, open.size);
    return bytesAt(open, 0, open.size);
  });
  const buffer = Buffer.from(bytes);
  const content = await contentOf(buffer, '');
  const mimeType = content.kind === 'file' ? content.type : `text/${content.kind === 'html' ? 'html' : 'plain'}`;
  return { name: inside.name.split('/').at(-1)!, mimeType, buffer, from: inside.name };
}

function mustNotBeTooLarge(given: string, bytes: number): void {
  if (bytes > maxUploadBytes) throw new Error(`${given} has ${bytes} bytes; files up to ${maxUploadBytes} can be given`);
}

const sha256Of = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** The operator reads of a file its name, its size, its sha256, and its beginning if it is a text. */
export function uploadLines({ name, mimeType, buffer, from }: Upload): string[] {
  const size = buffer.length < 1_000 ? '' : ` (${sizeOf(buffer.length)})`;
  return [
    `The file: ${shortPageLine(name, 200)}, ${buffer.length} bytes${size}, ${shortPageLine(mimeType, 80)}, from ${shortPageLine(from, 300)}`,
    `Its sha256: ${sha256Of(buffer)}`,
    ...beginning(buffer, mimeType),
  ];
}

function beginning(buffer: Buffer, mimeType: string): string[] {
  if (!mimeType.startsWith('text/')) return [];
  const lines = buffer.toString('utf8', 0, previewBytes).split('\n');
  const shown = lines.slice(0, previewLines).map((line) => quotedLine(shortPageLine(line, 200)));
  return ['It begins with:', ...shown, ...(lines.length > previewLines || buffer.length > previewBytes ? [quotedLine('…')] : [])];
}

export const uploadPrint = ({ name, buffer }: Upload): string =>
  createHash('sha256').update(name).update('\0').update(buffer).digest('hex');
