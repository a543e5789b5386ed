/** Mutants made in the code of guards and actions, where no change of the chart's shape reaches. One mistake each, easily made. */
import { type AnyStateMachine, assign } from 'xstate';
import type { Mutant } from './mutants.ts';

// biome-ignore lint/suspicious/noExplicitAny: a seeded wrong reads whatever its event carries.
type Event = any;
interface Args<Context> {
  context: Context;
  event: Event;
}
type Change<Context> = (context: Context, event: Event, params: never) => object;

export function seeding<Context extends object>(machine: AnyStateMachine) {
  /** What an action really does: xstate keeps what `assign` was given on it. */
  const original = (of: string): Change<Context> => {
    const { assignment } = machine.implementations.actions[of] as unknown as {
      assignment: object | ((args: object, params: never) => object);
    };
    return (context, event, params) => (typeof assignment === 'function' ? assignment({ context, event }, params) : assignment);
  };
  const action = (name: string, of: string, change: Change<Context>): Mutant => ({
    name,
    machine: machine.provide({
      actions: { [of]: assign(({ context, event }: Args<Context>, params: never) => change(context, event, params)) as never },
    } as never),
  });
  return {
    original,
    action,
    guards: (name: string, changed: Record<string, (args: Args<Context>) => boolean>): Mutant => ({
      name,
      machine: machine.provide({ guards: changed } as never),
    }),
    /** The action as it is, but for part of what it changes. */
    without: (name: string, of: string, ...keys: (keyof Context & string)[]): Mutant =>
      action(name, of, (context, event, params) => {
        const changed = Object.entries(original(of)(context, event, params));
        return Object.fromEntries(changed.filter(([key]) => !(keys as string[]).includes(key)));
      }),
    /** The action as it is, and something more. */
    with: (name: string, of: string, more: Change<Context>): Mutant =>
      action(name, of, (context, event, params) => ({
        ...original(of)(context, event, params),
        ...more(context, event, params),
      })),
  };
}
