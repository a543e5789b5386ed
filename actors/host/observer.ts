/**
 * The observer of the tasks of a node. The host tells it what happens; it changes nothing, and no chart knows of it. Without an
 * observer the host does nothing for it. The one that ships makes spans and figures (actors/tracing/).
 */
import type { Steering } from '../../bus/log/steering-log.ts';
import type { Failure } from '../../bus/messages.ts';
import type { Sent } from '../../bus/queue/delivery.ts';
import type { StateRecord } from '../../bus/state/state-record.ts';
import type { Backends } from '../../roster/backends.ts';
import type { Tool } from '../tools/tool.ts';

/** One claim of a task, as its observer sees it. */
export interface ObservedTask {
  /** The record with the claim in it. */
  readonly record: StateRecord;
  /** The ticket. */
  readonly sent: Sent | null;
  /** Whether the ticket was delivered before. */
  readonly redelivered: boolean;
  /** The step that the machine is at now. */
  readonly step: () => number;
}

export interface TaskObserver {
  /** The host has read a message from the steering log. */
  took(steering: Steering): void;
  /** A commit of this claim is stored. */
  committed(record: StateRecord): void;
  /**
   * The claim has ended. `done`: its last commit has the result. `given-back`: the task goes on elsewhere or later. `lost`: another
   * worker has the task, or an error ended the claim.
   */
  left(how: 'done' | 'given-back' | 'lost'): void;
  /** The backends and a tool of the task, with an eye on each call. */
  backends(backends: Backends): Backends;
  tool(tool: Tool): Tool;
}

export interface NodeObserver {
  task(task: ObservedTask): TaskObserver;
  /** A task was ended without its machine. */
  endedWithout(record: StateRecord, failure: Failure | null): void;
  /** Backends that serve no task, such as those of the primary agent. */
  backends(backends: Backends): Backends;
}
