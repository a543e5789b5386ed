/**
 * The format of an exported tree: JSON lines, compressed as gzip (docs/adr/0039). The first line says which tree it is and which
 * version of the format it has; the last one has the digest of all lines before it, so that a part of a file is not taken for the
 * whole. Every line is checked by these schemas when it is read.
 */
import { z } from 'zod';
import { parseArtifactName } from '../artifacts/artifact-name.ts';
import { ArtifactHead } from '../messages.ts';
import { StateRecord } from '../state/state-record.ts';
import { Root, rootOf, TaskId } from '../task-id.ts';

/** Raised when an older reader would misunderstand a file. */
export const archiveFormat = 1;

/** Limits of a file that is read: bytes of one line, and of all lines. A small file can unpack to very much. */
export const maxLineBytes = 64 * 2 ** 20;
export const maxArchiveBytes = 2 * 2 ** 30;
export const maxArchiveTasks = 100_000;

const Ref = z
  .string()
  .max(256)
  .refine((ref) => parseArtifactName(ref) !== null, 'is not the name of an artifact');

export const ArchiveHead = z
  .object({
    kind: z.literal('head'),
    format: z.number().int().positive(),
    coxswain: z.string().max(64).describe('The version that wrote the file.'),
    root: Root,
    id: TaskId.describe('The task that was exported, with all below it.'),
    at: z.iso.datetime(),
  })
  .refine(({ id, root }) => rootOf(id) === root, 'the task is of another tree');
export type ArchiveHead = z.infer<typeof ArchiveHead>;

export const ArchiveLine = z.discriminatedUnion('kind', [
  ArchiveHead,
  z.object({ kind: z.literal('record'), record: StateRecord }),
  z.object({
    kind: z.literal('log'),
    task: TaskId,
    channel: z.enum(['status', 'steering', 'result']),
    at: z.iso.datetime(),
    message: z.unknown().describe('The message, as JSON where it is JSON. A steering message may be plain text.'),
  }),
  z.object({ kind: z.literal('artifact'), ref: Ref, head: ArtifactHead, at: z.iso.datetime() }),
  z.object({
    kind: z.literal('part'),
    ref: Ref,
    i: z.number().int().min(0).max(4_096),
    base64: z
      .base64()
      .max(1_400_000)
      .describe('At most 1 MB of the content. The parts of an artifact follow its line, in order.'),
  }),
  z.object({ kind: z.literal('roster'), roster: z.unknown().describe('Backends and agents, without keys and addresses.') }),
  z.object({
    kind: z.literal('end'),
    lines: z.number().int().positive().describe('Number of lines before this one.'),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .describe('Of these lines, each with its line end.'),
    redacted: z.array(z.string().max(1_024)).max(10_000).describe('Where secrets were masked.'),
  }),
]);
export type ArchiveLine = z.infer<typeof ArchiveLine>;
