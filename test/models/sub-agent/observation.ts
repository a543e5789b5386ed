/** What can be seen of a sub-agent without looking into it: its status, its receipts, and what its effects were asked to do. */
import type { Reservation } from '../../../machines/budget.ts';
import type { Message, Outcome, Question, ToolCall, UsageByBackend } from '../../../machines/conversation.ts';
import type { Steer } from '../../../machines/steering.ts';
import type { ActInput, SubAgentContext, SubAgentOutput, ThinkInput } from '../../../machines/sub-agent.ts';
import { leaf } from '../coverage.ts';
import type { Rig } from '../rig.ts';

/** Over the bus: a `think` is a request at the model server, its end the closing of the connection; an `act` is the tool's own account. */
export type Seen =
  | { readonly began: 'think'; readonly input: ThinkInput }
  | { readonly began: 'act'; readonly input: ActInput }
  | { readonly ended: 'think' | 'act' };

export interface Observation {
  readonly state: 'idle' | 'thinking' | 'acting' | 'awaiting-steer' | 'done';
  readonly step: number;
  readonly paused: boolean;
  readonly question: Question | null;
  /** One per command, in the order in which they were sent. */
  readonly receipts: readonly Pick<Steer, 'id' | 'kind' | 'fate' | 'step' | 'reason'>[];
  readonly usage: UsageByBackend;
  readonly reserved: Reservation | null;
  readonly toppedUpUsd: number;
  readonly outcome: Outcome | null;
  /** Once it is done. */
  readonly output: {
    readonly answer: string | null;
    readonly messages: readonly Message[];
    readonly inDoubt: readonly string[];
  } | null;
  /** What effects did since the last observation, in order. */
  readonly seen: readonly Seen[];
  /** Effects that are armed; null where that can't be seen. */
  readonly armed: ReadonlySet<string> | null;
}

/** What the chart's own snapshot shows to whoever must choose the next event. */
export interface Look {
  readonly state: Observation['state'];
  readonly question: Question | null;
  /** The tool call in flight, or the one that is in doubt. */
  readonly call: ToolCall | null;
  /** Commands so far; the next one's id is made of it. */
  readonly commands: number;
  /** The model has said nothing yet in this step, and no request of it is out. */
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
  const { step, paused, question, steers, usage, reserved, toppedUpUsd, outcome } = context;
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
    outcome,
    output: salvage ?? null,
    seen,
    armed,
  };
}
