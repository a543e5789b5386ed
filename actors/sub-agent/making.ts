/**
 * Stores what a call made, and reads what tasks of the same tree have stored (`ToolContext.store`, `ToolContext.artifact`,
 * docs/adr/0031). Bounds: 32 artifacts for each call, 256 and 512 MB for each task.
 */
import { type ArtifactPlace, artifactName, parseArtifactName } from '../../bus/artifacts/artifact-name.ts';
import type { Artifacts, MadeArtifact } from '../../bus/artifacts/artifacts.ts';
import { rootOf } from '../../bus/task-id.ts';
import { CoxError } from '../../platform/errors.ts';
import type { Making, ToolContext } from '../tools/tool.ts';

const mostOfCall = 32;
const mostOfTask = 256;
const maxBytesOfTask = 512 * 2 ** 20;

/** Counts what the calls of one task have stored. A new claim of the task counts what the bus has. */
export class MakingLimits {
  readonly #artifacts: Artifacts;
  readonly #task: string;
  #stored: Promise<Map<string, number>> | null = null;

  constructor(artifacts: Artifacts, task: string) {
    this.#artifacts = artifacts;
    this.#task = task;
  }

  /** @throws CoxError `too-many-artifacts` if the task may not store this. An artifact that is stored already takes nothing. */
  async check(ref: string, bytes: number): Promise<void> {
    this.#stored ??= this.#artifacts.sizesOf(this.#task).catch((cause) => {
      this.#stored = null;
      throw cause;
    });
    const stored = await this.#stored;
    if (stored.has(ref)) return;
    const sum = [...stored.values()].reduce((total, size) => total + size, 0);
    if (stored.size >= mostOfTask) throw tooMany(`the task has stored ${mostOfTask} things`);
    if (sum + bytes > maxBytesOfTask) throw tooMany(`the task has stored ${sum} bytes, and ${maxBytesOfTask} is the most`);
  }

  async add({ ref, bytes }: MadeArtifact): Promise<void> {
    (await this.#stored)?.set(ref, bytes);
  }
}

export interface MakingOptions {
  readonly artifacts: Artifacts;
  readonly limits: MakingLimits;
  readonly of: Omit<ArtifactPlace, 'n'> & { readonly step?: number | undefined };
  readonly signal: AbortSignal;
  /** The name of the `n`th artifact (from 0) of the call. */
  readonly place: (n: number, made: Making) => ArtifactPlace['n'];
  /** Resolves when something may be stored for the call. */
  readonly begun: () => Promise<void>;
  readonly onStored: (made: MadeArtifact) => void;
}

/** Every run of a call numbers what it stores from 0, so that a second run finds what the first one stored. */
export function making(options: MakingOptions): Required<Pick<ToolContext, 'store' | 'artifact'>> {
  const { artifacts, limits, of, signal, place, begun, onStored } = options;
  const { step, ...call } = of;
  let count = 0;
  let last: Promise<unknown> = Promise.resolve();
  const storeOne = async (n: number, made: Making): Promise<MadeArtifact> => {
    signal.throwIfAborted();
    const at = { ...call, n: place(n, made) };
    await limits.check(artifactName(at), made.bytes.byteLength);
    await begun();
    const stored = await artifacts.store(at, { ...made, step }, signal);
    await limits.add(stored);
    onStored(stored);
    return stored;
  };
  return {
    // One after the other, so that the limits count what was stored before. A tool that does not wait for its store must not end
    // the node: `last` handles every failure.
    store: (given) => {
      const made = copied(given);
      const n = count++;
      const stored = last.then(() => {
        if (n >= mostOfCall) throw tooMany(`the call has stored ${mostOfCall} things`);
        return storeOne(n, made);
      });
      last = stored.catch(() => {});
      return stored;
    },
    artifact: async (ref) => {
      const named = parseArtifactName(String(ref));
      if (!named || rootOf(named.task) !== rootOf(of.task)) throw refused(String(ref), of.task);
      const { made, bytes } = await readOnce(artifacts, String(ref));
      return { name: made.name, type: made.type, bytes: Uint8Array.from(bytes) };
    },
  };
}

/** Code of others gives a copy, so that it cannot change what is being stored. @throws TypeError. */
function copied({ name, type, bytes }: Making): Making {
  if (!ArrayBuffer.isView(bytes)) throw new TypeError('`bytes` of what is stored must be a Uint8Array');
  return { name: String(name), type: String(type), bytes: new Uint8Array(bytes) };
}

type Read = Awaited<ReturnType<Artifacts['readMade']>>;
/** A long text is read in pieces, one call after the other, and the bus is asked for it once. */
const lastRead = new WeakMap<Artifacts, Read>();
const maxKeptBytes = 8 * 2 ** 20;

/** The content under a ref never changes while its tree is there. */
async function readOnce(artifacts: Artifacts, ref: string): Promise<Read> {
  const last = lastRead.get(artifacts);
  if (last?.made.ref === ref) return last;
  const read = await artifacts.readMade(ref);
  if (read.bytes.byteLength <= maxKeptBytes) lastRead.set(artifacts, read);
  return read;
}

const tooMany = (why: string) =>
  new CoxError('too-many-artifacts', `Nothing more can be stored: ${why}`, { hint: 'Go on without storing more.' });

const refused = (ref: string, task: string) =>
  new CoxError('artifact-refused', `${ref} is no artifact of ${rootOf(task)}`, {
    hint: `A task reads artifacts of its own tree only. A ref looks like ${task}/s2-0/made-0.`,
  });
