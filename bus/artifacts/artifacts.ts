/**
 * Artifacts keep what the calls of tasks replaced and made until the tree of the task is purged (docs/adr/0024, docs/adr/0031).
 * An artifact is a head and its content in parts. The parts are stored first, each under the sha256 of the whole content, and the
 * head last.
 * - The first head under a name stays. A second run of a call after a crash therefore gets what the first run kept, which is what
 *   the call really replaced, and makes nothing twice.
 * - A head names only parts that are stored. Parts without a head go with their tree.
 * Rule `keep-first` (docs/task-protocol.md).
 */
import { createHash } from 'node:crypto';
import { CoxError } from '../../platform/errors.ts';
import type { Bus } from '../bus.ts';
import { isStreamNotFound } from '../jetstream-errors.ts';
import { lastMessage } from '../leader-reads.ts';
import { ArtifactHead } from '../messages.ts';
import { parseMessage } from '../parse-message.ts';
import { publish } from '../publish.ts';
import { retryRequest } from '../retry.ts';
import type { TaskId } from '../task-id.ts';
import { madeSizes } from './artifact-list.ts';
import { type ArtifactPlace, artifactName, parseArtifactName } from './artifact-name.ts';
import { openArtifactStream } from './artifact-stream.ts';
import { type Label, labelOf } from './label.ts';

/** The largest content that is kept, in bytes. */
export const maxArtifactBytes = 64 * 2 ** 20;
/** Two clients must cut one content alike, so the size of a part does not depend on the server. Smaller than any `max_payload`. */
const partBytes = 256 * 2 ** 10;
/** Number of parts that are under way at the same time. */
const partsAtOnce = 8;

/** The content of a file. */
export interface Content {
  readonly bytes: Uint8Array;
  /** Permission bits of the file, where they are known. */
  readonly mode?: number | undefined;
}

/** Something that a call made, or a long result. */
export interface Made extends Label {
  readonly bytes: Uint8Array;
  /** Step of the task, where it is known. */
  readonly step?: number | undefined;
}

/** An artifact that has a file name and a type, without its content. */
export interface MadeArtifact extends Label {
  /** The name of the artifact, by which it is read. */
  readonly ref: string;
  readonly bytes: number;
  /** In hex. */
  readonly sha256: string;
}

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export class Artifacts {
  readonly #bus: Bus;
  #opened: Promise<void> | null = null;

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /**
   * Keeps a content under a name, unless the name has one. On a full bus it waits as every write of a task does.
   * @param content null: there was nothing.
   * @returns what is kept under the name now: `content`, or what an earlier run of the call has kept.
   * @throws CoxError `artifact-too-big`; `bad-artifact` if what the name has is damaged; `stream-full` without a
   * `bus.backpressure`; AbortError.
   */
  async keep(place: ArtifactPlace, content: Content | null, signal?: AbortSignal): Promise<Content | null> {
    checkSize(content, 'The file can still be changed; the change cannot be undone.');
    const mode = content?.mode;
    const extra = mode === undefined ? {} : { mode: mode & 0o7777 };
    const { head, isOurs } = await this.#first(place, content?.bytes ?? null, extra, signal);
    return isOurs ? content : this.#content(place, head);
  }

  /**
   * Stores something that a call made under a name, unless the name has something.
   * @returns the artifact of that name: what was given, or what an earlier run of the call has stored.
   * @throws CoxError as `keep` does.
   */
  async store(place: ArtifactPlace, { bytes, step, ...label }: Made, signal?: AbortSignal): Promise<MadeArtifact> {
    checkSize({ bytes }, 'Make it smaller, or store a part of it.');
    const extra = { ...labelOf(label), ...(step !== undefined && { step }) };
    const made = madeOf(place, (await this.#first(place, bytes, extra, signal)).head);
    if (!made) throw damaged(place);
    return made;
  }

  /**
   * @returns the kept content; null: there was nothing.
   * @throws CoxError `artifact-gone` if nothing is kept under the name (any more), `bad-artifact` if it is damaged.
   */
  async read(name: string): Promise<Content | null> {
    const { place, head } = await this.head(name);
    return this.#content(place, head);
  }

  /**
   * Reads an artifact that has a file name and a type.
   * @throws CoxError `artifact-gone` if there is no such one (any more), `bad-artifact` if it is damaged.
   */
  async readMade(ref: string): Promise<{ readonly made: MadeArtifact; readonly bytes: Uint8Array }> {
    const { place, head } = await this.head(ref);
    const made = madeOf(place, head);
    const content = made && (await this.#content(place, head));
    if (!content) throw gone(ref);
    return { made, bytes: content.bytes };
  }

  /** Reads one part of the content as it is stored, unchecked. Empty if there is no such part. @throws as `head` does. */
  async part(name: string, i: number): Promise<Uint8Array> {
    const { place, head } = await this.head(name);
    if (head.sha256 === null || i >= head.parts) return new Uint8Array();
    const message = await lastMessage(this.#bus, this.#bus.subjects.artifactStream, this.#part(place, head.sha256, i));
    return message?.data ?? new Uint8Array();
  }

  /** @returns the sizes in bytes of what the calls of a task have stored, by name. */
  async sizesOf(task: TaskId): Promise<Map<string, number>> {
    return new Map((await madeSizes(this.#bus, task)).map(([place, bytes]) => [artifactName(place), bytes]));
  }

  /** Reads a head. @throws CoxError `artifact-gone`, `bad-artifact`. */
  async head(name: string): Promise<{ readonly place: ArtifactPlace; readonly head: ArtifactHead; readonly at: Date }> {
    const place = parseArtifactName(name);
    const found = place && (await this.#found(place));
    if (!found) throw gone(name);
    return { place, ...found };
  }

  /** @returns null if nothing is kept under the name. @throws CoxError `bad-artifact`. */
  async #head(place: ArtifactPlace): Promise<ArtifactHead | null> {
    return (await this.#found(place))?.head ?? null;
  }

  async #found(place: ArtifactPlace): Promise<{ readonly head: ArtifactHead; readonly at: Date } | null> {
    const { subjects } = this.#bus;
    const message = await lastMessage(this.#bus, subjects.artifactStream, subjects.artifactHead(place)).catch(
      (cause: unknown) => {
        if (isStreamNotFound(cause)) return null;
        throw cause;
      },
    );
    if (!message) return null;
    const head = parseMessage(ArtifactHead, message.data);
    // Any client may have published there.
    if (!head) throw damaged(place);
    return { head, at: message.time };
  }

  /** @returns the head that the name has now, and whether this call has written it. */
  async #first(
    place: ArtifactPlace,
    bytes: Uint8Array | null,
    extra: Partial<ArtifactHead>,
    signal?: AbortSignal,
  ): Promise<{ readonly head: ArtifactHead; readonly isOurs: boolean }> {
    await this.#open(signal);
    for (;;) {
      const earlier = await this.#head(place);
      if (earlier) return { head: earlier, isOurs: false };
      const head = await this.#write(place, bytes, extra, signal);
      if (head) return { head, isOurs: true };
    }
  }

  /** @returns null if another writer has written the head meanwhile. */
  async #write(
    place: ArtifactPlace,
    content: Uint8Array | null,
    extra: Partial<ArtifactHead>,
    signal?: AbortSignal,
  ): Promise<ArtifactHead | null> {
    const bytes = content ?? new Uint8Array();
    const sha256 = content && sha256Of(bytes);
    const parts = Math.ceil(bytes.byteLength / partBytes);
    await inWindows(parts, (i) =>
      this.#put(this.#part(place, sha256!, i), bytes.subarray(i * partBytes, (i + 1) * partBytes), signal),
    );
    const head: ArtifactHead = { sha256, bytes: bytes.byteLength, parts, ...extra };
    return (await this.#put(this.#bus.subjects.artifactHead(place), JSON.stringify(head), signal)) ? head : null;
  }

  /** @returns whether the message is the first on its subject. */
  async #put(subject: string, payload: string | Uint8Array, signal?: AbortSignal): Promise<boolean> {
    return (await publish(this.#bus, subject, payload, { expect: { lastSubjectSequence: 0 } }, signal)).ok;
  }

  async #content(place: ArtifactPlace, { sha256, bytes, parts, mode }: ArtifactHead): Promise<Content | null> {
    if (sha256 === null) return null;
    const read = await inWindows(parts, (i) =>
      lastMessage(this.#bus, this.#bus.subjects.artifactStream, this.#part(place, sha256, i)),
    );
    const whole = Buffer.concat(read.map((part) => part?.data ?? new Uint8Array()));
    if (whole.byteLength !== bytes || sha256Of(whole) !== sha256) throw damaged(place);
    return { bytes: whole, mode };
  }

  readonly #part = (place: ArtifactPlace, sha256: string, i: number) => this.#bus.subjects.artifactPart(place, sha256, i);

  #open(signal?: AbortSignal): Promise<void> {
    this.#opened ??= retryRequest(this.#bus, 'the artifacts', () => openArtifactStream(this.#bus), signal).catch((cause) => {
      this.#opened = null;
      throw cause;
    });
    return this.#opened;
  }
}

/** @returns null for an artifact without a file name, such as a file before a write. */
function madeOf(place: ArtifactPlace, { sha256, bytes, name, type }: ArtifactHead): MadeArtifact | null {
  if (sha256 === null || name === undefined || type === undefined) return null;
  return { ref: artifactName(place), ...labelOf({ name, type }), bytes, sha256 };
}

function checkSize(content: Pick<Content, 'bytes'> | null, hint: string): void {
  const size = content?.bytes.byteLength ?? 0;
  if (size > maxArtifactBytes)
    throw new CoxError('artifact-too-big', `${size} bytes are more than the ${maxArtifactBytes} that are kept`, { hint });
}

const gone = (name: string) =>
  new CoxError('artifact-gone', `The artifact ${name} is not kept any more`, {
    hint: 'Artifacts are purged with the tree of their task; `cox artifacts <id>` lists those that are there.',
  });

const damaged = (place: ArtifactPlace) =>
  new CoxError('bad-artifact', `The artifact ${artifactName(place)} is damaged`, {
    hint: 'What it kept is lost. If it was a file, restore that from a backup.',
  });

/** Calls `work` for 0 … `count` − 1, at most `partsAtOnce` at the same time, in order. */
async function inWindows<T>(count: number, work: (i: number) => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  for (let from = 0; from < count; from += partsAtOnce) {
    const window = Array.from({ length: Math.min(partsAtOnce, count - from) }, (_, i) => work(from + i));
    done.push(...(await Promise.all(window)));
  }
  return done;
}
