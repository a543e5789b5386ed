/**
 * The last state of a task's tool that lasts longer than one call, such as where the task is in its browser, so that another node
 * goes on from there. It lies in the stream of the artifacts under a subject of the task, so it is purged with the tree; it is no
 * artifact, and no verb of the service hands it out.
 * - Only the last state of a task stays.
 * - A writer that does not know the last state writes nothing: another node has gone on with the task.
 */
import type { Bus } from '../bus.ts';
import { isStreamNotFound } from '../jetstream-errors.ts';
import { lastMessage } from '../leader-reads.ts';
import { publish } from '../publish.ts';
import { retryRequest } from '../retry.ts';
import type { TaskId } from '../task-id.ts';
import { openArtifactStream } from './artifact-stream.ts';

export interface KeptText {
  readonly text: string;
  /** Rises with each write. */
  readonly revision: number;
}

export class KeptStates {
  readonly #bus: Bus;
  readonly #tool: string;
  #opened: Promise<void> | null = null;

  /** @param tool a word for a subject: `browser`. */
  constructor(bus: Bus, tool: string) {
    this.#bus = bus;
    this.#tool = tool;
  }

  /** @returns null if nothing is kept of the task. */
  async read(task: TaskId): Promise<KeptText | null> {
    const { subjects } = this.#bus;
    try {
      const message = await lastMessage(this.#bus, subjects.artifactStream, subjects.keptState(task, this.#tool));
      return message && { text: message.string(), revision: message.seq };
    } catch (cause) {
      if (isStreamNotFound(cause)) return null;
      throw cause;
    }
  }

  /**
   * @param after the revision of the state that the writer goes on from; 0 if it knows of none.
   * @returns the new revision; null if there is a later state than that.
   * @throws CoxError `stream-full`, `message-too-big`, `bus-closed`.
   */
  async write(task: TaskId, text: string, after: number): Promise<number | null> {
    const { subjects } = this.#bus;
    this.#opened ??= retryRequest(this.#bus, 'the artifacts', () => openArtifactStream(this.#bus)).catch((cause) => {
      this.#opened = null;
      throw cause;
    });
    await this.#opened;
    const options = { expect: { lastSubjectSequence: after } };
    const written = await publish(this.#bus, subjects.keptState(task, this.#tool), text, options);
    return written.ok ? written.seq : null;
  }
}
