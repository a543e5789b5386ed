import { type EventObject, fromCallback } from 'xstate';

/**
 * An effect as a chart invokes it: work that says facts until it is done. Leaving the state fires `signal`; whatever is said after that is
 * dropped, so work that was aborted needs no care about its last words.
 * @param failed what to say when the work throws although it was not aborted.
 */
export const effect = <Input, Fact extends EventObject>(
  work: (input: Input, say: (fact: Fact) => void, signal: AbortSignal) => Promise<void>,
  failed: (cause: unknown, input: Input) => Fact,
) =>
  fromCallback<EventObject, Input>(({ input, sendBack }) => {
    const stop = new AbortController();
    const say = (fact: Fact) => {
      if (!stop.signal.aborted) sendBack(fact);
    };
    work(input, say, stop.signal).catch((cause) => say(failed(cause, input)));
    return () => stop.abort();
  });
