/** All that can be seen of a sub-agent from outside: its status, its receipts, and the inputs of its effects. */
import type { Reservation } from '../../../machines/budget.ts';
import type { Message, Outcome, Question, ToolCall, UsageByBackend } from '../../../machines/conversation.ts';
import type { Effect } from '../../../machines/effects.ts';
import type { Steer } from '../../../machines/steering-ledger.ts';
import type {
  ActInput,
  CheckInput,
  PreviewInput,
  SubAgentContext,
  SubAgentOutput,
  ThinkInput,
} from '../../../machines/sub-agent.ts';
import { leaf } from '../coverage.ts';
import type { Rig } from '../rig.ts';

/**
 * Over the bus a `think` is a request to the model server and ends when the connection closes; an `act` is reported by the tool.
 */
export type Seen =
  | { readonly began: 'think'; readonly input: ThinkInput }
  | { readonly began: 'act'; readonly input: ActInput }
  | { readonly began: 'preview'; readonly input: PreviewInput }
  | { readonly began: 'check'; readonly input: CheckInput }
  | { readonly ended: 'think' | 'act' | 'preview' | 'check' };

export interface Observation {
  readonly state: 'idle' | 'thinking' | 'acting' | 'previewing' | 'checking' | 'awaiting-steer' | 'done';
  readonly step: number;
  readonly paused: boolean;
  readonly question: Question | null;
  /** One per command, in the order in which they were sent. */
  readonly receipts: readonly Pick<Steer, 'id' | 'kind' | 'fate' | 'step' | 'reason'>[];
  readonly usage: UsageByBackend;
  readonly reserved: Reservation | null;
  readonly toppedUpUsd: number;
  readonly effects: readonly Effect[];
  readonly sources: readonly string[];
  readonly outcome: Outcome | null;
  /** Null until the task is done. */
  readonly output: {
    readonly answer: string | null;
    readonly messages: readonly Message[];
    readonly inDoubt: readonly string[];
  } | null;
  /** Begins and ends of effects since the last observation, in order. */
  readonly seen: readonly Seen[];
  /** Armed effects; null when they cannot be seen. */
  readonly armed: ReadonlySet<string> | null;
}

/** The part of the chart’s snapshot that chooses the next event. */
export interface Look {
  readonly state: Observation['state'];
  readonly question: Question | null;
  /** The tool call in flight, or the one in doubt. */
  readonly call: ToolCall | null;
  /** Commands so far. The next one’s id is made of it. */
  readonly commands: number;
  /** The model has said nothing in this step yet, and no request is out. */
  readonly isFresh: boolean;
}
export interface Snap {
  readonly value: unknown;
  readonly context: SubAgentContext;
}

export function stateOf({ value }: Pick<Snap, 'value'>): Observation['state'] {
  const last = leaf(value).split('.').at(-1);
  return last as Observation['state'];
}
export const look = (snapshot: Snap): Look => ({
  state: stateOf(snapshot),
  question: snapshot.context.question,
  call: snapshot.context.calls[0] ?? null,
  commands: snapshot.context.steers.length,
  isFresh: snapshot.context.partial === '' && snapshot.context.reserved === null,
});

export function observe(rig: Rig): Observation {
  const { value, context, output }: Snap & { output?: SubAgentOutput } = rig.snapshot;
  const { step, paused, question, steers, usage, reserved, toppedUpUsd, outcome, effects, sources } = context;
  const seen = rig.seen.filter((each) => ('began' in each ? each.began : each.ended) !== 'deadline') as Seen[];
  const salvage = output && { answer: output.answer, messages: output.messages, inDoubt: output.inDoubt.map(({ id }) => id) };
  const armed = new Set(rig.inFlight.keys());
  return {
    state: stateOf({ value }),
    step,
    paused,
    question,
    receipts: steers,
    usage,
    reserved,
    toppedUpUsd,
    effects,
    sources,
    outcome,
    output: salvage ?? null,
    seen,
    armed,
  };
}
