/** Subjects are built and parsed here alone. `cox` stands for the configurable namespace. */
import { CoxError } from '../platform/errors.ts';
import { isTaskId, type TaskId } from './task-id.ts';

/** What a task's own subjects carry. */
export type Channel = 'status' | 'steering' | 'result';
export type Queue = 'pending' | 'wake';

export class Subjects {
  readonly namespace: string;

  /**
   * @param namespace first token of every subject; letters, digits, `-` and `_`, at most 32.
   * @throws CoxError `bad-namespace`.
   */
  constructor(namespace = 'cox') {
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(namespace))
      throw new CoxError('bad-namespace', `"${namespace}" is no name of a namespace`, {
        hint: 'It is one word of at most 32 letters, digits, - and _.',
      });
    this.namespace = namespace;
  }

  readonly ticket = (type: string, queue: Queue) => `${this.namespace}.tasks.${type}.${queue}`;
  readonly of = (id: TaskId, channel: Channel) => `${this.namespace}.tasks.${id}.${channel}`;
  /** The channel of every task; `root` narrows it to one tree. */
  readonly every = (channel: Channel, root = '*') => `${this.namespace}.tasks.${root}.*.${channel}`;
  /** All that the log has of one tree, or of every one. */
  readonly everyMessage = (root = '*') => `${this.namespace}.tasks.${root}.*.*`;
  readonly live = (id: TaskId) => `${this.namespace}.live.${id}`;
  readonly everyLive = (root = '*') => `${this.namespace}.live.${root}.*`;
  /** `set`: where a timer waits in the server; `due`: what it becomes. */
  readonly timer = (id: string, at: 'set' | 'due' | '*') => `${this.namespace}.timers.${at}.${id}`;
  /** Of a task that killed its workers, or of a ticket that was none. */
  readonly letter = (id: string) => `${this.namespace}.dead.${id}.letter`;
  readonly everyLetter = () => `${this.namespace}.dead.>`;
  /** Answered by nodes that find no room on the bus, and by nobody else. */
  readonly full = () => `${this.namespace}.full`;
  /** From the waker to whichever node has the task. */
  readonly nudge = (id: TaskId) => `${this.namespace}.nudge.${id}`;
  readonly everyNudge = () => `${this.namespace}.nudge.*.*`;
  readonly api = () => `${this.namespace}.api`;

  /** Streams and buckets take no dots in their names. */
  get workStream() {
    return `${this.namespace}_work`;
  }
  get logStream() {
    return `${this.namespace}_log`;
  }
  get timerStream() {
    return `${this.namespace}_timers`;
  }
  get deadStream() {
    return `${this.namespace}_dead`;
  }
  get stateBucket() {
    return `${this.namespace}_tasks`;
  }
  get memoryBucket() {
    return `${this.namespace}_memory`;
  }

  /** Where a message on `subject` is kept, of the streams that take many small writes; null for others. */
  streamOf(subject: string): string | null {
    if (subject.startsWith(`$KV.${this.stateBucket}.`)) return `KV_${this.stateBucket}`;
    if (!subject.startsWith(`${this.namespace}.tasks.`)) return null;
    return subject.endsWith('.pending') || subject.endsWith('.wake') ? this.workStream : this.logStream;
  }

  /** `id` is null where the two tokens are no task id: the subject is somebody's mistake. */
  parse(subject: string): { tokens: string; id: TaskId | null; channel: Channel } | null {
    const [namespace, kind, root, path, channel, ...rest] = subject.split('.');
    if (namespace !== this.namespace || kind !== 'tasks' || rest.length || !isChannel(channel)) return null;
    const tokens = `${root}.${path}`;
    return { tokens, id: isTaskId(tokens) ? tokens : null, channel };
  }

  parseTimer(subject: string): TaskId | null {
    const tokens = subject.slice(this.timer('', 'due').length);
    return isTaskId(tokens) ? tokens : null;
  }

  parseNudge(subject: string): TaskId | null {
    const tokens = subject.slice(`${this.namespace}.nudge.`.length);
    return isTaskId(tokens) ? tokens : null;
  }

  parseLive(subject: string): TaskId | null {
    const tokens = subject.slice(`${this.namespace}.live.`.length);
    return isTaskId(tokens) ? tokens : null;
  }
}

const isChannel = (word: string | undefined): word is Channel => word === 'status' || word === 'steering' || word === 'result';
