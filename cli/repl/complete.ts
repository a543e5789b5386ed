/** Tab: commands, task ids, open questions and their choices, backends, kinds of task, whichever may stand where the cursor is. */
import type { TaskId } from '../../bus/task-id.ts';

/** readline's: what may stand there, and the text it would replace. */
export type Completion = [hits: string[], replaced: string];

export interface Known {
  /** Unfinished ones, which are what one steers. */
  readonly ids: readonly TaskId[];
  readonly questions: (id: string) => readonly string[];
  /** Of the question that is open there. */
  readonly choices: (id: string) => readonly string[];
  readonly backends: readonly string[];
  readonly types: readonly string[];
  /** Slash commands with their arguments in commander's notation. */
  readonly commands: readonly { readonly name: string; readonly args: string }[];
}

export function complete(line: string, known: Known): Completion {
  if (line.startsWith('@') && !line.includes(' '))
    return fitting(
      known.ids.map((id) => `@${id} `),
      line,
    );
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
  const isAnswer = argument === '<text...>' && command?.name === 'answer';
  const all = isAnswer ? known.choices(words[1] ?? '') : candidates(argument, words[1] ?? '', known);
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
