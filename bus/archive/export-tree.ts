/** Writes a tree as the lines of a file: records, log and artifacts, without secrets. */
import { createHash } from 'node:crypto';
import { fitted } from '../../platform/cut.ts';
import { CoxError } from '../../platform/errors.ts';
import { maskSecrets } from '../../platform/redact.ts';
import { maskValues } from '../../platform/redact-values.ts';
import { version } from '../../platform/version.ts';
import { artifactHeads, artifactPlaces } from '../artifacts/artifact-list.ts';
import { artifactName } from '../artifacts/artifact-name.ts';
import { Artifacts, sha256Of } from '../artifacts/artifacts.ts';
import type { Bus } from '../bus.ts';
import type { ArtifactHead } from '../messages.ts';
import { allRecords } from '../state/all-records.ts';
import { messagesAfter } from '../state/batch-get.ts';
import { readState } from '../state/state-store.ts';
import { isWithin, rootOf, type TaskId } from '../task-id.ts';
import { type ArchiveLine, archiveFormat } from './archive-lines.ts';

export interface ExportOptions {
  /** The roster of this machine, without keys. */
  readonly roster?: unknown;
  /** Whether the contents of artifacts go into the file. Default: true. */
  readonly artifacts?: boolean;
}

export interface Exported {
  tasks: number;
  messages: number;
  artifacts: number;
  /** Where secrets were masked, each place once. */
  redacted: string[];
}

const partBytes = 2 ** 20;
/** Most places that the last line names. */
const mostNamed = 10_000;

/**
 * Yields the lines, each with its line end. `told` is complete when the last one has been taken.
 * @throws CoxError `unknown-task`.
 */
export async function* exportLines(bus: Bus, id: TaskId, options: ExportOptions, told: Exported): AsyncGenerator<string> {
  const hash = createHash('sha256');
  let lines = 0;
  const line = (value: ArchiveLine): string => {
    const text = `${JSON.stringify(value)}\n`;
    if (value.kind !== 'end') hash.update(text);
    lines++;
    return text;
  };
  const masked = <T>(value: T, where: string): T => {
    const { value: clean, places } = maskValues(value);
    told.redacted.push(...places.map((place) => fitted(`${where} ${place}`.trim(), 400)));
    return clean as T;
  };
  const root = rootOf(id);
  const ids = (await allRecords(bus, `${root}.*`)).map(({ id: task }) => task).filter((task) => isWithin(task, id));
  if (!ids.includes(id)) throw new CoxError('unknown-task', `There is no task ${id}`, { hint: '`cox status` lists the tasks.' });
  yield line({ kind: 'head', format: archiveFormat, coxswain: version(), root, id, at: bus.now().toISOString() });
  if (options.roster !== undefined) yield line({ kind: 'roster', roster: masked(options.roster, 'roster') });
  const wholes = new Whole(bus, told);
  if (options.artifacts ?? true) for await (const each of wholes.of(id)) yield line(each);
  for (const task of ids) {
    const stored = await readState(bus, task);
    if (!stored) continue;
    const { seal: _, inFlight: __, ...record } = stored.record;
    told.tasks++;
    yield line({ kind: 'record', record: wholes.corrected(masked(record, task)) });
  }
  for (const channel of ['status', 'steering', 'result'] as const)
    for await (const message of messagesAfter(bus, bus.subjects.logStream, bus.subjects.every(channel, root), 0)) {
      const task = bus.subjects.parse(message.subject)?.id ?? null;
      if (task === null || !isWithin(task, id)) continue;
      told.messages++;
      const said = masked(withoutProof(jsonOrText(message.string())), `${task} ${channel}`);
      yield line({ kind: 'log', task, channel, at: message.time.toISOString(), message: said });
    }
  told.redacted = [...new Set(told.redacted)];
  yield line({ kind: 'end', lines, sha256: hash.digest('hex'), redacted: told.redacted.slice(0, mostNamed) });
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The outcome of a lost call has a secret of the worker that ran it. */
const withoutProof = (message: unknown): unknown =>
  typeof message === 'object' && message !== null && 'proof' in message ? { ...message, proof: '[Redacted]' } : message;

/** The artifacts of a tree. A text with a secret is another content, with another digest, than the one that records name. */
class Whole {
  readonly #bus: Bus;
  readonly #told: Exported;
  readonly #changed: { readonly was: ArtifactHead; readonly is: ArtifactHead }[] = [];

  constructor(bus: Bus, told: Exported) {
    this.#bus = bus;
    this.#told = told;
  }

  async *of(id: TaskId): AsyncGenerator<ArchiveLine> {
    const artifacts = new Artifacts(this.#bus);
    const places = (await artifactPlaces(this.#bus, `${rootOf(id)}.*`)).filter(({ task }) => isWithin(task, id));
    for (const { place, head, at } of await artifactHeads(this.#bus, places)) {
      const ref = artifactName(place);
      // A part that is damaged in the tree is damaged in the file too.
      const content = head && (await artifacts.read(ref).catch(() => undefined));
      if (!head || content === undefined) continue;
      const bytes = content && this.#masked(ref, content.bytes);
      const is = bytes ? { ...head, sha256: sha256Of(bytes), bytes: bytes.byteLength } : head;
      if (is.sha256 !== head.sha256) this.#changed.push({ was: head, is });
      this.#told.artifacts++;
      yield { kind: 'artifact', ref, head: is, at: at.toISOString() };
      for (let i = 0; bytes && i * partBytes < bytes.byteLength; i++) {
        const part = Buffer.from(bytes.subarray(i * partBytes, (i + 1) * partBytes));
        yield { kind: 'part', ref, i, base64: part.toString('base64') };
      }
    }
  }

  #masked(ref: string, bytes: Uint8Array): Uint8Array {
    const text = textOf(bytes);
    const masked = text === null ? null : maskSecrets(text);
    if (masked === null || masked === text) return bytes;
    this.#told.redacted.push(ref);
    return Buffer.from(masked);
  }

  /** The record with the digests of the contents in the file. */
  corrected<T>(record: T): T {
    if (this.#changed.length === 0) return record;
    let json = JSON.stringify(record);
    for (const { was, is } of this.#changed)
      json = json
        .replaceAll(`"bytes":${was.bytes},"sha256":"${was.sha256}"`, `"bytes":${is.bytes},"sha256":"${is.sha256}"`)
        .replaceAll(`${was.bytes} bytes, sha256 ${was.sha256}`, `${is.bytes} bytes, sha256 ${is.sha256}`);
    return JSON.parse(json) as T;
  }
}

function textOf(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes('\0') ? null : text;
  } catch {
    return null;
  }
}
