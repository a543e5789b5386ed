/** What the host must know of a chart to host it: one role for sub-agents, one for supervisors. The host knows neither. */
import type { AnyActorLogic, AnyEventObject, Snapshot } from 'xstate';
import type { PlanRow, Result, Status, SteeringMessage, TaskState, Usage } from '../../bus/messages.ts';
import type { StateRecord } from '../../bus/state/state-record.ts';
import type { Carryover } from '../../machines/carryover.ts';
import type { Steer } from '../../machines/steering.ts';
import type { provideEffects } from './effect.ts';
import type { EndedCall } from './in-flight-calls.ts';

/** What every chart's context has, whatever else it has. */
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

/** What effects may ask of the host they run under. */
export interface EffectHost {
  readonly id: string;
  /** The task as it was dispatched. */
  readonly spec: StateRecord['spec'];
  /** What a task that begins again brings along (docs/adr/0015); null for all others. */
  readonly carryover: Carryover | null;
  readonly epoch: () => number;
  /** Resolves when a commit covers the state that the effect was started in (B, write-ahead). Rejects when it never will. */
  committed(signal: AbortSignal): Promise<void>;
  /**
   * Before an effect that must not happen twice: reads the epoch again when the last commit is so old that another worker may hold the task.
   * Rejects when one does (PROTOCOL line 10).
   */
  stillHolds(): Promise<void>;
  /** A call of a tool that writes is about to run: the next commit marks it as this host's. */
  callBegins(call: string): void;
  /** … and has come to its end, before the machine is told. Where the task was lost meanwhile, its log is told instead. */
  callEnded(call: string, how: EndedCall): void;
  /** … and was not run, because the task was lost before it was known that it may. */
  callDidNotBegin(call: string, why: string): void;
  /** The task was lost: it is not ours any more, and nobody has decided that it ends. */
  isLost(): boolean;
  /** Tokens and tool output as they come, for whoever watches. */
  live(message: { type: 'token'; step: number; text: string } | { type: 'tool'; step: number; tool: string; text: string }): void;
  /** Something an operator should know with the next status: a routing decision, a failover. */
  note(text: string): void;
  /** Which backend the step in flight runs on. */
  onBackend(name: string): void;
  addArtifacts(names: readonly string[]): void;
}

export interface View {
  readonly state: TaskState;
  readonly usage: Usage;
  /** US dollars set aside and not settled. */
  readonly outUsd: number;
  readonly doing?: string | undefined;
  /** Child tasks ever dispatched. */
  readonly children: number;
  readonly plan: readonly PlanRow[];
  readonly subTasks?: Status['subTasks'];
  /** A one-word outcome once the machine is done. */
  readonly outcome: Status['outcome'];
}

/** What a task's end leaves, before its host adds what every result has. */
export type Found = Omit<Result, 'id' | 'type' | 'at'>;

export interface Role {
  readonly machine: { readonly id: string; readonly version: number };
  /** The chart; its effects are looked up by the running machine (actors/host/effect.ts). */
  readonly logic: AnyActorLogic;
  /** This task's own, under the names by which the chart invokes them. */
  readonly effects: Parameters<typeof provideEffects>[1];
  readonly input: unknown;
  /** Where the machine waits with nothing of its own to do: it may be parked at once, after a moment of quiet, or not at all. */
  parks(snapshot: HostedSnapshot): 'now' | 'when-quiet' | 'no';
  /** When a parked task must be woken though nobody says anything: milliseconds since the epoch. */
  deadlineAt(snapshot: HostedSnapshot): number | null;
  eventOf(steer: string, message: SteeringMessage): { event: AnyEventObject } | { refused: string };
  view(snapshot: HostedSnapshot): View;
  /** What stays of the task; a supervisor reads what its children found. */
  result(snapshot: HostedSnapshot): Promise<Found>;
  /** For machines that call tools. */
  readonly calls?: {
    /** The call of a tool that writes which is in flight or in doubt. */
    inFlight(snapshot: HostedSnapshot): string | null;
    returned(call: string, text: string, failed: boolean): AnyEventObject;
  };
  /** Something is in flight that must be left to finish: a tool that writes. */
  mustFinish(snapshot: HostedSnapshot): boolean;
  /** Changes with every fact the task gains; a claim that dies without changing it made no progress. */
  progress(snapshot: HostedSnapshot): string;
  /** Events of its own that wait on the bus after `cursor`: a supervisor's returned children. */
  news?(snapshot: HostedSnapshot, cursor: number): Promise<{ events: AnyEventObject[]; cursor: number }>;
  /** Makes true what the commit has decided: a supervisor's children exist, relays are sent. Must be safe to repeat. */
  reconcile?(snapshot: HostedSnapshot): Promise<void>;
}
