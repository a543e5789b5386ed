/** What may follow a `/`. The steering verbs come from the table that the command line uses too. */
import type { SteeringInput, Urgency } from '../../bus/messages.ts';
import type { TaskId } from '../../bus/task-id.ts';
import { usageError } from '../errors.ts';
import { type SteerOptions, urgencyOptions, type Verb, verbs } from '../verbs.ts';

/** What a slash command can do. */
export interface Hands {
  resolve(ref: string): Promise<TaskId>;
  /** The goal last worked with, when a command names none. */
  lastGoal(): TaskId;
  send(id: TaskId, message: SteeringInput): Promise<void>;
  showHelp(): void;
  showTasks(all: boolean): Promise<void>;
  showStatus(id: TaskId): Promise<void>;
  showTree(id: TaskId): Promise<void>;
  showResult(id: TaskId): Promise<void>;
  showMenu(): void;
  showNodes(): Promise<void>;
  /** Without an action: the list. */
  dead(action: string | undefined, ref: string | undefined): Promise<void>;
  /** Null: stop watching whatever is watched. */
  watch(id: TaskId | null): void;
  dispatch(type: string, instruction: string): Promise<void>;
  leave(): void;
}

export interface SlashCommand {
  readonly name: string;
  readonly args: string;
  readonly summary: string;
  /** `words` are those of `rest`, which is the line behind the command as it was typed. */
  readonly run: (hands: Hands, words: readonly string[], rest: string) => Promise<void> | void;
}

const optional = async (hands: Hands, ref: string | undefined): Promise<TaskId> =>
  ref === undefined ? hands.lastGoal() : hands.resolve(ref);

const needed = (ref: string | undefined, usage: string): string => {
  if (ref === undefined) throw usageError('Which task?', `As in: ${usage}. /tasks lists them, Tab completes them.`);
  return ref;
};

const steering = (name: keyof typeof verbs): SlashCommand => {
  const { args, summary, message }: Verb = verbs[name];
  const usage = `/${name} <id> ${args}`.trim();
  return {
    name,
    args: `<id> ${args}`.trim(),
    summary,
    run: async (hands, [ref, ...words]) => {
      const id = await hands.resolve(needed(ref, usage));
      const [options, said] = flags(words);
      await hands.send(id, message(unquoted(said), options));
    },
  };
};

export const slashCommands: readonly SlashCommand[] = [
  { name: 'help', args: '', summary: 'this list', run: (hands) => hands.showHelp() },
  { name: 'tasks', args: '[all]', summary: 'what is going on', run: (hands, [all]) => hands.showTasks(all === 'all') },
  {
    name: 'status',
    args: '[id]',
    summary: 'what a task is doing',
    run: async (hands, [ref]) => hands.showStatus(await optional(hands, ref)),
  },
  {
    name: 'tree',
    args: '[id]',
    summary: 'a goal and its sub-tasks',
    run: async (hands, [ref]) => hands.showTree(await optional(hands, ref)),
  },
  {
    name: 'result',
    args: '[id]',
    summary: 'what a task came to',
    run: async (hands, [ref]) => hands.showResult(await optional(hands, ref)),
  },
  ...(Object.keys(verbs) as (keyof typeof verbs)[]).map(steering),
  {
    name: 'watch',
    args: '[id]',
    summary: 'every step of a task, and what its model says; /watch off ends it',
    run: async (hands, [ref]) => hands.watch(ref === 'off' ? null : await optional(hands, ref)),
  },
  { name: 'menu', args: '', summary: 'the backends', run: (hands) => hands.showMenu() },
  { name: 'nodes', args: '', summary: 'who is in the crew, and what they hold', run: (hands) => hands.showNodes() },
  {
    name: 'dead',
    args: '[retry|drop] [letter]',
    summary: 'what was given up; run it again, or drop it',
    run: (hands, [action, ref]) => hands.dead(action, ref),
  },
  {
    name: 'run',
    args: '<goal...>',
    summary: 'a goal, split and worked on in parallel',
    run: (hands, _, rest) => hands.dispatch('supervisor', rest),
  },
  {
    name: 'dispatch',
    args: '<type> <instruction...>',
    summary: 'one task of a kind',
    run: (hands, [type = '', ...words]) => hands.dispatch(type, words.join(' ')),
  },
  { name: 'quit', args: '', summary: 'leave; tasks stay where they are', run: (hands) => hands.leave() },
];

/** `--next`, `--after`, `--now`, `--expect-step n` in front of the text. */
function flags(words: readonly string[]): [SteerOptions, readonly string[]] {
  const [word, ...rest] = words;
  const urgency = (Object.keys(urgencyOptions) as Urgency[]).find((each) => urgencyOptions[each] === word);
  if (urgency !== undefined) {
    const [more, said] = flags(rest);
    return [{ ...more, urgency }, said];
  }
  if (word === '--expect-step') {
    const step = Number(rest[0]);
    if (!Number.isInteger(step) || step < 0)
      throw usageError('--expect-step wants a number.', 'As in: /steer .4 --expect-step 3 use my work email');
    const [more, said] = flags(rest.slice(1));
    return [{ ...more, expectStep: step }, said];
  }
  return [{}, words];
}

/** Whoever is used to a shell puts quotes around a text; they are not part of it. */
function unquoted(words: readonly string[]): string[] {
  const last = words.length - 1;
  const at = words.findIndex((word) => word.startsWith('"'));
  if (at < 0 || !words[last]!.endsWith('"') || (at === last && words[at]!.length < 2)) return [...words];
  return words.map((word, i) => {
    const from = i === at ? 1 : 0;
    return i === last ? word.slice(from, -1) : word.slice(from);
  });
}
