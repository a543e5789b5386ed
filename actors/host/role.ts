/** The interface between the host and a chart. Sub-agents and supervisors have a role each; the host depends on neither. */
import type { AnyActorLogic, AnyEventObject, Snapshot } from 'xstate';
import type { Effect, PlanRow, Result, Status, SteeringMessage, TaskState, Usage } from '../../bus/messages.ts';
import type { StateRecord } from '../../bus/state/state-record.ts';
import type { Carryover } from '../../machines/carryover.ts';
import type { Steer } from '../../machines/steering-ledger.ts';
import type { provideEffects } from './effect.ts';
import type { EndedCall } from './in-flight-calls.ts';
import type { TaskObserver } from './observer.ts';

/** The fields that the context of every chart has. */
export interface HostedContext {
  readonly instruction: string;
  readonly steers: readonly Steer[];
  readonly step: number;
  readonly paused: boolean;
  readonly backend: string | null;
  readonly question: Status['question'] | null;
}
export interface HostedSnapshot {
  readonly status: Snapshot<unknown>['status'];
  readonly value: unknown;
  readonly context: HostedContext;
  can(event: AnyEventObject): boolean;
}

/** The host, as its effects see it. */
export interface EffectHost {
  readonly id: string;
  /** The task as it was dispatched. */
  readonly spec: StateRecord['spec'];
  /** Findings and counts that a task which begins again brings along (docs/adr/0015); null for every other task. */
  readonly carryover: Carryover | null;
  readonly epoch: () => number;
  /**
   * Resolves when a commit covers the state that the effect was started in (B, write-ahead). Rejects if the host or the state
   * ends first.
   */
  committed(signal: AbortSignal): Promise<void>;
  /**
   * Called before an effect that must not happen twice. If the last commit is old enough for another worker to have claimed the
   * task, it reads the epoch again, and rejects if another worker holds the task (rule `epoch-check`).
   */
  stillHolds(): Promise<void>;
  /** A call of a writing tool is about to run. The next commit marks it as this host's. */
  callBegins(call: string): void;
  /** The call has ended; called before the machine is told. If the task was lost meanwhile, the outcome is posted to its log. */
  callEnded(call: string, how: EndedCall): void;
  /** The call was not run, because the task was lost before the call was known to be committed. */
  callDidNotBegin(call: string, why: string): void;
  /** Whether this host has stopped because another worker took the task or because of an error, without having ended it. */
  isLost(): boolean;
  /** Publishes tokens and tool output as they come, for watchers. */
  live(message: { type: 'token'; step: number; text: string } | { type: 'tool'; step: number; tool: string; text: string }): void;
  /** Adds a remark for the operator to the next status, for instance on a routing decision or a failover. */
  note(text: string): void;
  /** Notes which backend the present step runs on. */
  onBackend(name: string): void;
  /** Notes the digest of the request that the step is about to send. The next commit tells it. */
  sends(step: number, digest: string): void;
  /** The backend of the present step; null before the first. */
  backend(): string | null;
  addArtifacts(names: readonly string[]): void;
  /** Watches the calls of the task. Left out if nothing is observed. */
  readonly observer?: TaskObserver | undefined;
}

export interface View {
  readonly state: TaskState;
  readonly usage: Usage;
  /** US dollars that are reserved and not settled. */
  readonly outUsd: number;
  readonly doing?: string | undefined;
  /** While a model thinks: the number of messages of the conversation. */
  readonly told?: number | undefined;
  /** The latest effects, at most 16, oldest first. */
  readonly effects?: readonly Effect[];
  /** Number of child tasks ever dispatched. */
  readonly children: number;
  readonly plan: readonly PlanRow[];
  readonly subTasks?: Status['subTasks'];
  /** Null until the machine is done. */
  readonly outcome: Status['outcome'];
}

/** The result of a task, without the fields that its host adds. */
export type Found = Omit<Result, 'id' | 'type' | 'at'>;

export interface Role {
  readonly machine: { readonly id: string; readonly version: number };
  /** The chart; its effects are looked up by the running machine (actors/host/effect.ts). */
  readonly logic: AnyActorLogic;
  /** The effects of this task, by the names under which the chart invokes them. */
  readonly effects: Parameters<typeof provideEffects>[1];
  readonly input: unknown;
  /**
   * Called before the machine goes on from this snapshot, for instance to look how things are that a question is about. The host
   * waits for it, so it takes seconds at most.
   * @returns null if there is nothing to prepare; what it has seen, for the machine, or null.
   */
  prepare?(snapshot: HostedSnapshot): Promise<string | null> | null;
  /** Whether the machine only waits and may be parked: at once, after `quietMs` without news, or not at all. */
  parks(snapshot: HostedSnapshot): 'now' | 'when-quiet' | 'no';
  /** When a parked task must be woken without a message, in milliseconds since 1970; null for never. */
  deadlineAt(snapshot: HostedSnapshot): number | null;
  eventOf(steer: string, message: SteeringMessage): { event: AnyEventObject } | { refused: string };
  view(snapshot: HostedSnapshot): View;
  /** The result of the task. A supervisor reads the results of its children for it. */
  result(snapshot: HostedSnapshot): Promise<Found>;
  /** For machines that call tools. */
  readonly calls?: {
    /** The id of the writing tool's call that is in flight or in doubt; null if there is none. */
    inFlight(snapshot: HostedSnapshot): string | null;
    returned(call: string, how: Omit<EndedCall, 'artifacts'>): AnyEventObject;
  };
  /** Whether a tool call with effects is running, which must finish before the task is released. */
  mustFinish(snapshot: HostedSnapshot): boolean;
  /** Text that changes with every fact that the task gains. A claim that ends without changing it made no progress. */
  progress(snapshot: HostedSnapshot): string;
  /** Events for the machine from messages on the bus after `cursor`: for a supervisor, its returned children. */
  news?(snapshot: HostedSnapshot, cursor: number): Promise<{ events: AnyEventObject[]; cursor: number }>;
  /** For a supervisor whose places are taken: an event about the sub-tasks that wait for their operator, by their records. */
  waiting?(snapshot: HostedSnapshot): Promise<AnyEventObject[]>;
  /** Carries out the decisions of a commit: a supervisor dispatches its children and sends its relays. Must be safe to repeat. */
  reconcile?(snapshot: HostedSnapshot): Promise<void>;
}
