/**
 * Imports an exported tree as tasks that have ended, so that nobody claims, sweeps or wakes them: `status`, `tree`, `result`,
 * `replay` and `artifacts` show them. The file is read twice: nothing is written before all of it was checked.
 */
import { CoxError } from '../../platform/errors.ts';
import { parseArtifactName } from '../artifacts/artifact-name.ts';
import { Artifacts, sha256Of } from '../artifacts/artifacts.ts';
import type { Bus } from '../bus.ts';
import { fittedJson } from '../log/fitted.ts';
import { noUsage, type Result, Status } from '../messages.ts';
import { maxPayload, publish } from '../publish.ts';
import { allRecords } from '../state/all-records.ts';
import type { StateRecord } from '../state/state-record.ts';
import { createState } from '../state/state-store.ts';
import { newRoot, type TaskId } from '../task-id.ts';
import { doesChores } from '../team/chores.ts';
import type { ArchiveHead, ArchiveLine } from './archive-lines.ts';
import { archiveLines } from './read-archive.ts';

export interface Imported {
  /** The task that was exported, by its id here. */
  readonly id: TaskId;
  /** Its id where it ran. */
  readonly was: TaskId;
  readonly tasks: number;
  readonly artifacts: number;
  /** Tasks that had not ended when they were exported. Here they are cancelled. */
  readonly unfinished: number;
  readonly coxswain: string;
  readonly at: string;
  readonly redacted: readonly string[];
}

/** @throws CoxError `bad-archive`, `bad-archive-format`: nothing was written; `role-denied`; `stream-full`. */
export async function importTree(bus: Bus, file: string, signal?: AbortSignal): Promise<Imported> {
  if (bus.team && !doesChores(bus)) throw bus.team.denied('import a tree', 'It takes the role supervisor.');
  const { head, redacted } = await checked(file);
  const root = await freeRoot(bus, head.root);
  const naming = (text: string) => (root === head.root ? text : renamed(text, head.root, root));
  const artifacts = new Artifacts(bus);
  const counts = { tasks: 0, artifacts: 0, unfinished: 0 };
  // The task that was exported comes last: a tree without it was not imported to its end.
  let last: StateRecord | null = null;
  const write = async (record: StateRecord) => {
    const stored = await createState(bus, record, signal);
    if (!stored) throw new CoxError('bad-archive', `There is a task ${record.id} now`, { hint: 'Import the file again.' });
    counts.tasks++;
  };
  for await (const line of withContents(archiveLines(file))) {
    signal?.throwIfAborted();
    if (line.kind === 'record') {
      const record = archived(JSON.parse(naming(JSON.stringify(line.record))) as StateRecord, line.record.id, head);
      if (line.record.result === null) counts.unfinished++;
      if (line.record.id === head.id) last = record;
      else await write(record);
    } else if (line.kind === 'whole') {
      counts.artifacts++;
      await keep(artifacts, naming(line.ref), line, signal);
    } else if (line.kind === 'log' && line.channel === 'status') await tell(bus, naming, line, signal);
  }
  await write(last!);
  return { id: naming(head.id), was: head.id, ...counts, coxswain: head.coxswain, at: head.at, redacted };
}

async function checked(file: string): Promise<{ head: ArchiveHead; redacted: readonly string[] }> {
  let head: ArchiveHead | null = null;
  let redacted: readonly string[] = [];
  const tasks = new Set<string>();
  for await (const line of withContents(archiveLines(file))) {
    if (line.kind === 'head') head = line;
    if (line.kind === 'end') redacted = line.redacted;
    if (line.kind !== 'record') continue;
    if (tasks.has(line.record.id))
      throw new CoxError('bad-archive', `The file has the task ${line.record.id} twice`, { hint: 'Export the tree again.' });
    tasks.add(line.record.id);
  }
  if (!head || !tasks.has(head.id))
    throw new CoxError('bad-archive', 'The file has no record of the task that was exported', { hint: 'Export the tree again.' });
  return { head, redacted };
}

type Line = Exclude<ArchiveLine, { kind: 'artifact' | 'part' }>;
type Artifact = Extract<ArchiveLine, { kind: 'artifact' }>;
type WholeArtifact = Omit<Artifact, 'kind'> & { readonly kind: 'whole'; readonly bytes: Uint8Array | null };

/** Joins the parts of each artifact, and compares them with its head. */
async function* withContents(lines: AsyncIterable<ArchiveLine>): AsyncGenerator<Line | WholeArtifact> {
  let open: { readonly head: Artifact; readonly parts: Buffer[] } | null = null;
  for await (const line of lines) {
    if (line.kind === 'part') {
      if (line.ref !== open?.head.ref || line.i !== open.parts.length) throw mixedUp(line.ref);
      open.parts.push(Buffer.from(line.base64, 'base64'));
      continue;
    }
    if (open) yield wholeOf(open.head, open.parts);
    open = line.kind === 'artifact' ? { head: line, parts: [] } : null;
    if (line.kind !== 'artifact') yield line;
  }
}

function wholeOf(line: Artifact, parts: readonly Buffer[]): WholeArtifact {
  const { sha256, bytes: size } = line.head;
  const bytes = Buffer.concat(parts);
  if (sha256 === null ? bytes.byteLength > 0 : bytes.byteLength !== size || sha256Of(bytes) !== sha256) throw mixedUp(line.ref);
  return { ...line, kind: 'whole', bytes: sha256 === null ? null : bytes };
}

const mixedUp = (ref: string) =>
  new CoxError('bad-archive', `The content of ${ref} in the file is not what its head says`, { hint: 'Export the tree again.' });

/** Ids that are there already stay those of other tasks. */
async function freeRoot(bus: Bus, wanted: string): Promise<string> {
  for (let root = wanted; ; root = newRoot((bytes) => crypto.getRandomValues(bytes)))
    if ((await allRecords(bus, `${root}.*`)).length === 0) return root;
}

/** The ids of a tree wherever they stand, also in the names of its artifacts. Roots consist of letters and digits. */
const renamed = (text: string, from: string, to: string): string =>
  text.replaceAll(new RegExp(`(?<![A-Za-z0-9])${from}\\.(?=[0-9])`, 'g'), `${to}.`);

function archived(record: StateRecord, was: TaskId, { at, coxswain }: ArchiveHead): StateRecord {
  const {
    seal: _,
    inFlight: __,
    stranded: ___,
    deadLetter: ____,
    earlier: _____,
    lost: ______,
    outUsd: _______,
    ...rest
  } = record;
  const result = rest.result ?? unfinished(rest);
  const note = `imported from ${was}, which was exported at ${at} by Coxswain ${coxswain}`;
  const last: Status = {
    ...(rest.last ?? { ...idle, receipts: [], id: record.id, type: record.spec.type, at: record.createdAt, node: record.node }),
    ...{ state: 'done', outcome: result.outcome, question: null, paused: false, note },
  };
  return {
    ...rest,
    ...{ phase: 'done', result, last, outbox: [], inbox: [], wakeAt: null, doubtfulUntil: null, archived: was },
    ...{ statusSeq: 0, steeringCursor: 0, resultCursor: 0, ticketSeq: 0, idleClaims: 0 },
    snapshot: rest.snapshot && { ...rest.snapshot, context: { ...(rest.snapshot.context as object), question: null } },
  };
}

const idle = {
  commit: 1,
  epoch: 0,
  state: 'done',
  step: 0,
  backend: null,
  paused: false,
  question: null,
  usage: noUsage,
  outcome: null,
} as const;

const unfinished = ({ id, spec, instruction, last, createdAt, artifacts }: StateRecord): Result => ({
  ...{ id, type: spec.type, outcome: 'cancelled', output: null },
  failure: { code: 'not-ended', message: 'it had not ended when it was exported', retryable: false },
  salvage: { findings: [], remaining: instruction, artifacts: [...artifacts], steps: last?.step ?? 0 },
  ...{ usage: last?.usage ?? noUsage, usageByBackend: {}, at: last?.at ?? createdAt },
  ...(last?.effects && { effects: last.effects }),
});

async function keep(artifacts: Artifacts, ref: string, { head, bytes }: WholeArtifact, signal?: AbortSignal): Promise<void> {
  const place = parseArtifactName(ref)!;
  const { name, type, step, mode } = head;
  if (bytes && name !== undefined && type !== undefined) await artifacts.store(place, { name, type, bytes, step }, signal);
  else await artifacts.keep(place, bytes && { bytes, mode }, signal);
}

/** The statuses are what a replay is made of. Steers and results are not sent again: nobody is to act on them. */
async function tell(
  bus: Bus,
  naming: (text: string) => string,
  { task, message }: Extract<ArchiveLine, { kind: 'log' }>,
  signal?: AbortSignal,
): Promise<void> {
  const status = Status.safeParse(JSON.parse(naming(JSON.stringify(message))));
  if (!status.success || status.data.id !== naming(task)) return;
  await publish(bus, bus.subjects.of(status.data.id, 'status'), fittedJson(status.data, maxPayload(bus)), {}, signal);
}
