/**
 * Mutants with an error in the code of a guard or an action, which no change of the chart’s shape makes. One likely mistake each.
 */
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
  /** The change that an action really makes: xstate keeps what was given to `assign`. */
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
    /** The action without part of its changes. */
    without: (name: string, of: string, ...keys: (keyof Context & string)[]): Mutant =>
      action(name, of, (context, event, params) => {
        const changed = Object.entries(original(of)(context, event, params));
        return Object.fromEntries(changed.filter(([key]) => !(keys as string[]).includes(key)));
      }),
    /** The action with further changes. */
    with: (name: string, of: string, more: Change<Context>): Mutant =>
      action(name, of, (context, event, params) => ({
        ...original(of)(context, event, params),
        ...more(context, event, params),
      })),
  };
}
