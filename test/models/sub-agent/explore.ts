/** The sets of paths through the sub-agent’s chart. */
import type { AnyStateMachine } from 'xstate';
import { type SubAgentEvent, type SubAgentInput, subAgent } from '../../../machines/sub-agent.ts';
import { edgePaths } from '../explore.ts';
import { alphabet, input, label, type ModelEvent, replies } from './alphabet.ts';
import { type Look, look, type Snap, stateOf } from './observation.ts';

const queued = ({ context: { steers } }: Snap) =>
  [...new Set(steers.filter(({ fate }) => fate === 'queued').map(({ urgency }) => urgency))].sort().join('+');

/** The situation as an operator sees it. */
const tiny = (snapshot: Snap) => {
  const { paused, question, calls, missing } = snapshot.context;
  return [stateOf(snapshot), paused, question?.kind, missing !== null, calls.map(({ tool }) => tool)].join('|');
};
/** Also the partial reply, failures, whether a request is paid for, and whether a correction waits behind a question. */
const small = (snapshot: Snap) => {
  const { partial, failures, question, steers, reserved } = snapshot.context;
  const waits = question !== null && steers.some(({ fate, urgency }) => fate === 'queued' && urgency === 'now');
  return [tiny(snapshot), Math.min(partial.length, 4), failures, waits, reserved !== null].join('|');
};
const medium = (snapshot: Snap) => [tiny(snapshot), queued(snapshot), snapshot.context.partial !== ''].join('|');
const large = (snapshot: Snap) => {
  const { step, limits, failures, repeats } = snapshot.context;
  return [medium(snapshot), step >= limits.steps, failures, repeats].join('|');
};
const projections = { tiny, small, medium, large };

/**
 * Paths that the projections do not tell from others. An answer is overtaken by a correction whose call is then not made; and a
 * call that may have run is begun again after a crash, although an urgent correction waits.
 */
const toldApart = (size: keyof typeof projections): ModelEvent[][] => {
  const usage = { inputTokens: 2, outputTokens: 1, costUsd: 0.25 };
  const overtaken: ModelEvent[] = [
    { type: 'START' },
    { type: 'STEER', id: 's1', text: 't1', urgency: 'after' },
    { type: 'MODEL_REPLIED', text: 'said final', calls: [], usage, backend: 'local' },
    { type: 'CALL_PRICED', backend: 'paid', worstUsd: 64, first: true },
  ];
  const begunAgain: ModelEvent[] = [
    { type: 'START' },
    { type: 'MODEL_REPLIED', text: 'said idempotent', calls: replies.idempotent!, usage, backend: 'local' },
    { type: 'STEER', id: 's1', text: 't1', urgency: 'now' },
    { type: 'RESTORED' },
  ];
  return size === 'tiny' ? [] : [overtaken, [...overtaken, { type: 'CANCEL', id: 's2' }], begunAgain];
};

export const paths = (
  size: keyof typeof projections,
  machine: AnyStateMachine = subAgent,
  mayBe: (event: ModelEvent, here: Look) => boolean = () => true,
  given: SubAgentInput = input,
): ModelEvent[][] => [
  ...edgePaths({
    machine,
    input: given,
    alphabet: (snapshot: Snap) => {
      const here = look(snapshot);
      return alphabet(here).filter((event) => mayBe(event, here));
    },
    project: projections[size],
    label,
  }),
  ...toldApart(size),
];

/** Nothing is shown there but by `send`, which lets every call pass. */
const isWithoutPreview = (type: string, event: object, { state, call }: Look): boolean =>
  type !== 'CALL_OUTDATED' &&
  (state !== 'previewing' || (call?.mayPass ? 'ask' in event : 'preview' in event && event.preview === null));

/**
 * The small set for a suite that drives a real task over the bus, where facts are brought about instead of sent: MODEL_SAID and
 * MODEL_REPLIED by the scripted model server, MODEL_FAILED by its error status, TOOL_RETURNED by the tool, DEADLINE_PASSED by a
 * deadline in the past, RESTORED by the loss of the worker. Facts that only a fault in our own code sends are left out.
 * @param hasPreviews whether the tool `pay` shows what it would do. Without it, the question follows by itself.
 */
export function smallPaths(hasPreviews: boolean): SubAgentEvent[][] {
  const isPossible = ({ type, ...event }: ModelEvent, here: Look): boolean =>
    !type.startsWith('xstate.') &&
    // Its backends have no price there; test/actors/host/budget.test.ts has paid calls.
    type !== 'CALL_PRICED' &&
    type !== 'CALL_BILLED' &&
    // Only what the operator has allowed on the sight of a preview can be outdated.
    (type !== 'CALL_OUTDATED' || (here.call?.preview != null && here.call.gated === false && !here.call.mayPass)) &&
    (hasPreviews ? !('preview' in event && event.preview === null) : isWithoutPreview(type, event, here)) &&
    // No worker is fenced, and a tool that reports changes is of the suite in process.
    !('call' in event && (event.call === 'stale' || ('text' in event && event.text === 'late')));
  return paths('tiny', subAgent, isPossible, { ...input, mustProduce: false }) as SubAgentEvent[][];
}
