/** Builds and parses all subjects; no other code does. In comments, `cox` stands for the configurable namespace. */
import { CoxError } from '../platform/errors.ts';
import type { ArtifactPlace } from './artifacts/artifact-name.ts';
import { isTaskId, type TaskId } from './task-id.ts';

/** The kinds of messages on the subjects of one task. */
export type Channel = 'status' | 'steering' | 'result';
export type Queue = 'pending' | 'wake';

export class Subjects {
  readonly namespace: string;

  /**
   * @param namespace the first token of every subject: at most 32 letters, digits, `-` and `_`. Default: `cox`.
   * @throws CoxError `bad-namespace`.
   */
  constructor(namespace = 'cox') {
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(namespace))
      throw new CoxError('bad-namespace', `"${namespace}" is not a valid namespace`, {
        hint: 'A namespace is one word of at most 32 letters, digits, - and _.',
      });
    this.namespace = namespace;
  }

  readonly ticket = (type: string, queue: Queue) => `${this.namespace}.tasks.${type}.${queue}`;
  readonly of = (id: TaskId, channel: Channel) => `${this.namespace}.tasks.${id}.${channel}`;
  /** Wildcard for one channel of all tasks, or of the tasks of the tree `root`. */
  readonly every = (channel: Channel, root = '*') => `${this.namespace}.tasks.${root}.*.${channel}`;
  /** Wildcard for all channels of all tasks, or of the tasks of the tree `root`. */
  readonly everyMessage = (root = '*') => `${this.namespace}.tasks.${root}.*.*`;
  readonly live = (id: TaskId) => `${this.namespace}.live.${id}`;
  readonly everyLive = (root = '*') => `${this.namespace}.live.${root}.*`;
  /** The server keeps a timer on `set` and publishes it on `due` at its time. */
  readonly timer = (id: string, at: 'set' | 'due' | '*') => `${this.namespace}.timers.${at}.${id}`;
  /** The dead letter of a task that lost too many workers, or of a message that is not a ticket. */
  readonly letter = (id: string) => `${this.namespace}.dead.${id}.letter`;
  readonly everyLetter = () => `${this.namespace}.dead.>`;
  /** The head of an artifact. `n` counts the changes of one call, or says in a word what else it is (artifact-name.ts). */
  readonly artifactHead = ({ task, call, n }: ArtifactPlace) => `${this.namespace}.artifacts.${task}.${call}.${n}.head`;
  readonly artifactPart = ({ task, call, n }: ArtifactPlace, sha256: string, i: number) =>
    `${this.namespace}.artifacts.${task}.${call}.${n}.${sha256}.${i}`;
  /** The last state of a tool of the task. It is no artifact, but is purged like one. */
  readonly keptState = (task: string, tool: string) => `${this.namespace}.artifacts.${task}.${tool}.kept`;
  /** Wildcard for the heads of the artifacts of a task (`k3xq.4`), or of a tree (`k3xq.*`). */
  readonly artifactHeads = (tasks: string) => `${this.namespace}.artifacts.${tasks}.*.*.head`;
  /** Wildcard for the artifacts of all tasks, or of the tasks of the tree `root`. */
  readonly everyArtifact = (root?: string) => `${this.namespace}.artifacts.${root === undefined ? '' : `${root}.`}>`;
  /** The tokens and dollars that a purged tree has used. */
  readonly costs = (root: string) => `${this.namespace}.costs.${root}`;
  /** The record of a line of the talk with the primary. */
  readonly talk = (line: string) => `${this.namespace}.talk.${line}.line`;
  readonly everyTalk = () => `${this.namespace}.talk.*.line`;
  /** Request subject. A node answers it only while the bus is full and refuses the writes of the node. */
  readonly full = () => `${this.namespace}.full`;
  /** From the waker to the node that holds the task: new messages for the task are on the log. */
  readonly nudge = (id: TaskId) => `${this.namespace}.nudge.${id}`;
  readonly everyNudge = () => `${this.namespace}.nudge.*.*`;
  /** The machine of a task as it runs, only while somebody listens (docs/adr/0040). */
  readonly inspected = (id: TaskId) => `${this.namespace}.inspect.${id}`;
  readonly everyInspected = (root = '*') => `${this.namespace}.inspect.${root}.*`;
  /** From a listener to the nodes. */
  readonly inspectionWanted = () => `${this.namespace}.inspect.wanted`;
  /** The signed list of the members of a crew with roles (docs/adr/0030). */
  readonly members = () => `${this.namespace}.crew.members`;
  readonly api = () => `${this.namespace}.api`;

  /** Names of streams and buckets must not contain dots. */
  get workStream() {
    return `${this.namespace}_work`;
  }
  get logStream() {
    return `${this.namespace}_log`;
  }
  get timerStream() {
    return `${this.namespace}_timers`;
  }
  get talkStream() {
    return `${this.namespace}_talk`;
  }
  get deadStream() {
    return `${this.namespace}_dead`;
  }
  /** Keeps the last list of members. */
  get crewStream() {
    return `${this.namespace}_crew`;
  }
  get artifactStream() {
    return `${this.namespace}_artifacts`;
  }
  get costStream() {
    return `${this.namespace}_costs`;
  }
  get stateBucket() {
    return `${this.namespace}_tasks`;
  }
  get memoryBucket() {
    return `${this.namespace}_memory`;
  }

  /** Name of the stream of `subject`, if it is one of the streams with many small writes (work, log, state); else null. */
  streamOf(subject: string): string | null {
    if (subject.startsWith(`$KV.${this.stateBucket}.`)) return `KV_${this.stateBucket}`;
    if (!subject.startsWith(`${this.namespace}.tasks.`)) return null;
    return subject.endsWith('.pending') || subject.endsWith('.wake') ? this.workStream : this.logStream;
  }

  /**
   * Parses the subject of a task's channel. `id` is null if the two `tokens` are not a valid task id.
   * @returns null for other subjects.
   */
  parse(subject: string): { tokens: string; id: TaskId | null; channel: Channel } | null {
    const [namespace, kind, root, path, channel, ...rest] = subject.split('.');
    if (namespace !== this.namespace || kind !== 'tasks' || rest.length || !isChannel(channel)) return null;
    const tokens = `${root}.${path}`;
    return { tokens, id: isTaskId(tokens) ? tokens : null, channel };
  }

  /** @returns the root of the tree that an artifact belongs to; null for other subjects. */
  parseArtifact(subject: string): string | null {
    const [namespace, kind, root] = subject.split('.');
    return namespace === this.namespace && kind === 'artifacts' && root ? root : null;
  }

  parseTimer(subject: string): TaskId | null {
    const tokens = subject.slice(this.timer('', 'due').length);
    return isTaskId(tokens) ? tokens : null;
  }

  parseNudge(subject: string): TaskId | null {
    const tokens = subject.slice(`${this.namespace}.nudge.`.length);
    return isTaskId(tokens) ? tokens : null;
  }

  parseInspected(subject: string): TaskId | null {
    const tokens = subject.slice(`${this.namespace}.inspect.`.length);
    return isTaskId(tokens) ? tokens : null;
  }

  parseLive(subject: string): TaskId | null {
    const tokens = subject.slice(`${this.namespace}.live.`.length);
    return isTaskId(tokens) ? tokens : null;
  }
}

const isChannel = (word: string | undefined): word is Channel => word === 'status' || word === 'steering' || word === 'result';
