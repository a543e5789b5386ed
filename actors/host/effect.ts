import { type AnyEventObject, type CallbackLogicFunction, type EventObject, fromCallback } from 'xstate';

/** Made once, since it comes with a stack. */
const left = new DOMException('the task has left the state that this was for', 'AbortError');

/** What a callback actor runs. */
export type Effect<Input> = CallbackLogicFunction<EventObject, AnyEventObject, Input>;

/**
 * An effect as a chart invokes it: work that says facts until it is done. Leaving the state fires `signal`; whatever is said after that is
 * dropped, so work that was aborted needs no care about its last words.
 * @param failed what to say when the work throws although it was not aborted.
 */
export const effect =
  <Input, Fact extends EventObject>(
    work: (input: Input, say: (fact: Fact) => void, signal: AbortSignal) => Promise<void>,
    failed: (cause: unknown, input: Input) => Fact,
  ): Effect<Input> =>
  ({ input, sendBack }) => {
    const stop = new AbortController();
    const say = (fact: Fact) => {
      if (!stop.signal.aborted) sendBack(fact);
    };
    work(input, say, stop.signal).catch((cause) => say(failed(cause, input)));
    return () => stop.abort(left);
  };

// biome-ignore lint/suspicious/noExplicitAny: each chart says what its effects are given.
type Effects = Readonly<Record<string, Effect<any>>>;
/** By the system of a running chart. */
const provided = new WeakMap<object, Effects>();

/** Before the chart is started. */
export const provideEffects = ({ system }: { readonly system: object }, effects: Effects): void => {
  provided.set(system, effects);
};

/**
 * An effect that each running chart has its own of. To provide a chart with effects anew for every task would cost more than all its
 * transitions (docs/performance.md).
 */
export const ownEffect = <Input>(name: string) =>
  fromCallback<EventObject, Input>((args) => provided.get(args.system)![name]!(args));
