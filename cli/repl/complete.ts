/** Tab completion at the prompt: commands, task ids, open questions and their choices, backends and kinds of task. */
import type { TaskId } from '../../bus/task-id.ts';

/** A completion in readline's form: the candidates, and the typed text that a candidate replaces. */
export type Completion = [hits: string[], replaced: string];

export interface Known {
  /** Ids of unfinished tasks. Finished ones cannot be steered, so they are not offered. */
  readonly ids: readonly TaskId[];
  /** Ids of the ended tasks of this session, for commands that are about ended ones. */
  readonly ended: readonly TaskId[];
  readonly questions: (id: string) => readonly string[];
  /** The choices of the task's open question. */
  readonly choices: (id: string) => readonly string[];
  /** Numbers of the inbox that was shown last, and `all`. */
  readonly numbers: readonly string[];
  readonly backends: readonly string[];
  readonly types: readonly string[];
  /** Files whose name begins with what is typed after an `@`, written as a mention. */
  readonly files: (typed: string) => readonly string[];
  /** Slash commands with their arguments in commander's notation. */
  readonly commands: readonly { readonly name: string; readonly args: string; readonly ended?: true }[];
}

export function complete(line: string, known: Known): Completion {
  const mention = /(?:^|\s)(@(?:"[^"]*|[^\s"]*))$/.exec(line)?.[1];
  if (mention !== undefined) {
    const ids = mention === line ? known.ids.map((id) => `@${id} `) : [];
    const files = known.files(mention.slice(1));
    // A quote that the completion adds is no part of what was typed.
    return [[...ids.filter((id) => id.startsWith(mention)), ...files], mention];
  }
  if (!line.startsWith('/')) return [[], line];
  const words = line.split(/ +/);
  const current = words.at(-1) ?? '';
  if (words.length === 1)
    return fitting(
      known.commands.map(({ name }) => `/${name} `),
      line,
    );
  const command = known.commands.find(({ name }) => `/${name}` === words[0]);
  const argument = command?.args.split(' ')[words.length - 2];
  if (argument === undefined) return [[], current];
  const isAnswer = argument === '[text...]' && command?.name === 'answer';
  const ofEnded = command?.ended ? { ...known, ids: known.ended } : known;
  const named = isAnswer ? known.choices(words[1] ?? '') : candidates(argument, words[1] ?? '', ofEnded);
  const all = command?.name === 'answer' && words.length === 2 ? [...named, ...known.numbers] : named;
  return fitting(
    all.map((word) => `${word} `),
    current,
  );
}

function candidates(argument: string, id: string, known: Known): readonly string[] {
  if (argument === '<id>' || argument === '[id]') return known.ids;
  if (argument === '<question>') return known.questions(id);
  if (argument === '<backend>') return known.backends;
  if (argument === '<type>') return known.types;
  // A choice of words: `[retry|drop]`.
  if (argument.includes('|')) return argument.slice(1, -1).split('|');
  return [];
}

const fitting = (all: readonly string[], typed: string): Completion => [all.filter((word) => word.startsWith(typed)), typed];
