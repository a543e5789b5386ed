import { type AnyEventObject, type CallbackLogicFunction, type EventObject, fromCallback } from 'xstate';

/** Created once, because capturing a stack for each abort is slow. */
const left = new DOMException('the task has left the state that this effect was for', 'AbortError');

/** The function that a callback actor runs. */
export type Effect<Input> = CallbackLogicFunction<EventObject, AnyEventObject, Input>;

/**
 * Wraps asynchronous work as an effect that a chart can invoke. The work reports facts with `say` until it is done. When the
 * chart leaves the state, `signal` fires and later facts are dropped, so aborted work may still call `say`.
 * @param failed makes the fact that is reported if the work throws without having been aborted.
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

// biome-ignore lint/suspicious/noExplicitAny: each chart has its own input types for its effects.
type Effects = Readonly<Record<string, Effect<any>>>;
/** The effects of each running chart, by its actor system. */
const provided = new WeakMap<object, Effects>();

/** Gives a chart its effects. Must be called before the chart is started. */
export const provideEffects = ({ system }: { readonly system: object }, effects: Effects): void => {
  provided.set(system, effects);
};

/**
 * Looks up the effect `name` that the running chart got from `provideEffects`. Calling `machine.provide` for every task would
 * cost more than all transitions of the task (docs/performance.md).
 */
export const ownEffect = <Input>(name: string) =>
  fromCallback<EventObject, Input>((args) => provided.get(args.system)![name]!(args));
