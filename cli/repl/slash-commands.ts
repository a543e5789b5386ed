/** The slash commands of the prompt. The steering verbs come from the table that the command line uses too. */
import type { SteeringInput, Urgency } from '../../bus/messages.ts';
import type { TaskId } from '../../bus/task-id.ts';
import { usageError } from '../errors.ts';
import { type Named, namedBy } from '../inbox.ts';
import { stepOf } from '../step.ts';
import { type SteerOptions, urgencyOptions, type Verb, verbs } from '../verbs.ts';

/** The actions that slash commands can call. */
export interface Hands {
  resolve(ref: string): Promise<TaskId>;
  /** The goal that was used last, for a command that names none. Throws a usage error if there is no goal yet. */
  lastGoal(): TaskId;
  send(id: TaskId, message: SteeringInput): Promise<void>;
  showHelp(): void;
  showTasks(all: boolean): Promise<void>;
  showInbox(): Promise<void>;
  /** Answers questions by their numbers in the inbox that was shown last; `all` asks for a confirmation first. */
  answerByNumber(named: Named, text: string): Promise<void>;
  showStatus(id: TaskId): Promise<void>;
  showTree(id: TaskId): Promise<void>;
  showResult(id: TaskId): Promise<void>;
  /** Shows the last lines of the stored talk. */
  showTalk(lines: string | undefined): Promise<void>;
  showMenu(): void;
  showNodes(): Promise<void>;
  /** Handles dead letters. Without an action it lists them. */
  dead(action: string | undefined, ref: string | undefined): Promise<void>;
  /** Shows what an undo would do; does it if `isSure`. */
  undo(id: TaskId, step: number | null, isSure: boolean): Promise<void>;
  /** Lists the artifacts of a task and of those below it. */
  showArtifacts(id: TaskId): Promise<void>;
  /** Prints what an artifact keeps. */
  showArtifact(name: string): Promise<void>;
  /** Watches a task in addition to those already watched. Null stops watching all of them. */
  watch(id: TaskId | null): void;
  dispatch(type: string, instruction: string): Promise<void>;
  /** Opens a text in the operator's editor; without one the half-typed text that was set aside last. */
  edit(text: string): Promise<void>;
  leave(): void;
}

export interface SlashCommand {
  readonly name: string;
  readonly args: string;
  readonly summary: string;
  /** Whether the command is about tasks that have ended, so that Tab offers those. */
  readonly ended?: true;
  /** `rest` is the typed line after the command, and `words` are its words. */
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
      const named = name === 'answer' && ref !== undefined ? namedBy(ref, words[0]) : null;
      if (named !== null) return hands.answerByNumber(named, answerText(unquoted(words)));
      const id = await hands.resolve(needed(ref, usage));
      const [options, said] = flags(words);
      await hands.send(id, message(unquoted(said), options));
    },
  };
};

const answerText = (words: readonly string[]): string => verbs.answer.message(['number', ...words]).text;

export const slashCommands: readonly SlashCommand[] = [
  { name: 'help', args: '', summary: 'show this list', run: (hands) => hands.showHelp() },
  {
    name: 'tasks',
    args: '[all]',
    summary: 'list the unfinished tasks, or all tasks',
    run: (hands, [all]) => hands.showTasks(all === 'all'),
  },
  {
    name: 'inbox',
    args: '',
    summary: 'list all open questions with numbers that /answer takes: /answer 2 yes, /answer all yes',
    run: (hands) => hands.showInbox(),
  },
  {
    name: 'status',
    args: '[id]',
    summary: 'show the state of a task',
    run: async (hands, [ref]) => hands.showStatus(await optional(hands, ref)),
  },
  {
    name: 'tree',
    args: '[id]',
    summary: 'show a goal and its sub-tasks',
    run: async (hands, [ref]) => hands.showTree(await optional(hands, ref)),
  },
  {
    name: 'result',
    args: '[id]',
    summary: 'show the result of a task',
    run: async (hands, [ref]) => hands.showResult(await optional(hands, ref)),
  },
  {
    name: 'undo',
    args: '<id> [step] [yes]',
    ended: true,
    summary: 'show the files that a task or a goal has changed; with yes, restore them',
    run: async (hands, [ref, ...words]) => {
      const id = await hands.resolve(needed(ref, '/undo <id> [step] [yes]'));
      const isSure = words.at(-1) === 'yes';
      return hands.undo(id, stepOf((isSure ? words.slice(0, -1) : words)[0]), isSure);
    },
  },
  {
    name: 'artifacts',
    args: '[id]',
    ended: true,
    summary: 'list what a task, or a goal with its sub-tasks, has made and replaced',
    run: async (hands, [ref]) => hands.showArtifacts(await optional(hands, ref)),
  },
  {
    name: 'artifact',
    args: '<ref>',
    summary: 'print a file as it was before a write, the whole diff of an approval, or a long result',
    run: async (hands, [name = '']) => hands.showArtifact(name),
  },
  ...(Object.keys(verbs) as (keyof typeof verbs)[]).map(steering),
  {
    name: 'watch',
    args: '[id]',
    summary: 'show every step of a task and the output of its model; /watch off ends it',
    run: async (hands, [ref]) => hands.watch(ref === 'off' ? null : await optional(hands, ref)),
  },
  {
    name: 'talk',
    args: '[lines]',
    summary: 'show what was said last, at all terminals',
    run: (hands, [lines]) => hands.showTalk(lines),
  },
  { name: 'menu', args: '', summary: 'list the backends', run: (hands) => hands.showMenu() },
  { name: 'nodes', args: '', summary: 'list the nodes of the crew and the tasks they hold', run: (hands) => hands.showNodes() },
  {
    name: 'dead',
    args: '[retry|drop] [letter]',
    summary: 'list the tasks that were given up, run one again, or drop one',
    run: (hands, [action, ref]) => hands.dead(action, ref),
  },
  {
    name: 'run',
    args: '<goal...>',
    summary: 'split a goal and work on its parts in parallel',
    run: (hands, _, rest) => hands.dispatch('supervisor', rest),
  },
  {
    name: 'dispatch',
    args: '<type> <instruction...>',
    summary: 'start one task of a kind',
    run: (hands, [type = '', ...words]) => hands.dispatch(type, words.join(' ')),
  },
  {
    name: 'edit',
    args: '[text...]',
    summary: 'write a message in $EDITOR (Ctrl-X Ctrl-E: the half-typed text)',
    run: (hands, _, rest) => hands.edit(rest),
  },
  { name: 'quit', args: '', summary: 'leave the prompt; unfinished tasks are kept', run: (hands) => hands.leave() },
];

/** Reads `--next`, `--after`, `--now` and `--expect-step n` in front of the text. */
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
      throw usageError('--expect-step needs the number of a step.', 'As in: /steer .4 --expect-step 3 use my work email');
    const [more, said] = flags(rest.slice(1));
    return [{ ...more, expectStep: step }, said];
  }
  return [{}, words];
}

/** Removes the quotes around a text, which operators type out of habit from the shell. */
function unquoted(words: readonly string[]): string[] {
  const last = words.length - 1;
  const at = words.findIndex((word) => word.startsWith('"'));
  if (at < 0 || !words[last]!.endsWith('"') || (at === last && words[at]!.length < 2)) return [...words];
  return words.map((word, i) => {
    const from = i === at ? 1 : 0;
    return i === last ? word.slice(from, -1) : word.slice(from);
  });
}
