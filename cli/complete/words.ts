/** The candidates for a place on a command line, from the table of commands, the roster and the bus. */
import { costKeys } from '../../bus/costs/costs.ts';
import type { Crew } from '../../bus/crew.ts';
import type { Question } from '../../bus/messages.ts';
import { ListedState } from '../../bus/state/task-list.ts';
import { goalOf, rootOf } from '../../bus/task-id.ts';
import { foldersOf } from '../../platform/folders.ts';
import type { Roster } from '../../roster/schema.ts';
import { wordsFor } from '../approval.ts';
import type { Cli, Command, OptionRow } from '../cli.ts';
import { lettersOf } from '../letters.ts';
import { parts } from '../parts.ts';
import { oneLine } from '../render/printable.ts';
import { readRoster } from '../roster.ts';
import { findTask, withCrew } from '../session.ts';
import { recall } from '../shown-inbox.ts';
import { type Grammar, longOf, type Place } from './typed-place.ts';

export interface Word {
  readonly word: string;
  /** A description of the word in a few words. */
  readonly about: string;
}
/** `:file` and `:folder` leave the completion of paths to the shell. */
export type Words = readonly Word[] | ':file' | ':folder';

export async function wordsAt(cli: Cli, place: Place, typed: string, { commands, globals }: Grammar): Promise<Words> {
  if (place.kind === 'nothing') return [];
  if (place.kind === 'command') return fitting(commands.filter(isShown).map(commandWord), typed);
  if (place.kind === 'flag') return fitting([...(place.command?.options ?? []), ...globals, ...everywhere].map(flagWord), typed);
  const { what, command, args } = place;
  if (what === '<file>') return ':file';
  if (what === '<dir>') return ':folder';
  if (what === '<states>') return inList(typed, bare(ListedState.options));
  if (what === '<types>' || what === '<good_at>') return inList(typed, await fromRoster(cli, what));
  return fitting(await values(cli, what, command, args, typed), typed);
}

async function values(cli: Cli, what: string, command: Command | null, args: readonly string[], typed: string): Promise<Word[]> {
  if (what.includes('|')) return bare(what.slice(1, -1).split('|'));
  switch (what) {
    case '<id>':
    case '<other>':
    case '[id]':
      return [
        ...(command?.name === 'answer' ? numbersOf(cli) : []),
        ...(command?.name === 'artifacts' ? [{ word: 'get', about: 'write an artifact into a file' }] : []),
        ...(await onBus(cli, ({ tasks }) => tasks(command?.ended === true))),
      ];
    case '<ref>':
    case '[ref]':
      return command?.name === 'artifacts' && args[0] !== 'get' ? [] : onBus(cli, ({ refs }) => refs(typed));
    case '[letter]':
      return onBus(cli, ({ letters }) => letters());
    case '<key>':
      return onBus(cli, ({ keys }) => keys(args[0]!));
    case '<question>':
      return onBus(cli, async ({ question }) => asWords(await question(args[0]!)));
    case '[text...]':
      return command?.name === 'answer' ? onBus(cli, async ({ question }) => choicesOf(await question(args[0]!), args[1])) : [];
    case '<keys>':
      return bare(costKeys);
    case '[machine]':
      return args[0] === 'export' ? machines() : [];
    case '<part>':
      return parts.map(({ name, summary }) => ({ word: name, about: summary }));
    case '<type>':
    case '<backend>':
      return fromRoster(cli, what);
    default:
      return [];
  }
}

async function machines(): Promise<Word[]> {
  const { charts } = await import('../../actors/inspect/charts.ts');
  return charts.map(({ machine, does }) => ({ word: machine.id, about: does }));
}

/** The numbers that `cox inbox` has shown in this shell. */
function numbersOf(cli: Cli): Word[] {
  const shown = recall(foldersOf(cli.env)) ?? [];
  const each = shown.map(({ number, id, question }) => ({ word: String(number), about: `${question} of ${id}` }));
  return [...each, { word: 'all', about: 'all questions that have the words as a choice' }];
}

const asWords = (question: Question | null): Word[] => (question ? [{ word: question.id, about: oneLine(question.text) }] : []);
const choicesOf = (question: Question | null, id: string | undefined): Word[] =>
  bare(question && question.id === id ? wordsFor(question) : []);

async function fromRoster(cli: Cli, what: '<type>' | '<types>' | '<backend>' | '<good_at>'): Promise<Word[]> {
  const { roster } = await readRoster(cli, foldersOf(cli.env));
  if (what === '<backend>') return backendsOf(roster);
  if (what === '<good_at>') return bare(new Set(Object.values(roster.backends).flatMap(({ goodAt }) => goodAt)));
  const { typesOf } = await import('../hosted-node.ts');
  return bare(typesOf(roster));
}

const backendsOf = (roster: Roster): Word[] =>
  Object.entries(roster.backends).map(([word, { tier, goodAt }]) => ({ word, about: [tier, ...goodAt].join(', ') }));

/** Most refs that are offered. */
const mostRefs = 1_000;

/** Lookups of candidates on the bus. */
interface OnBus {
  tasks(ended: boolean): Promise<Word[]>;
  letters(): Promise<Word[]>;
  refs(typed: string): Promise<Word[]>;
  keys(ref: string): Promise<Word[]>;
  question(ref: string): Promise<Question | null>;
}

const onBus = (cli: Cli, ask: (crew: OnBus) => Promise<Word[]>): Promise<Word[]> =>
  withCrew(cli, { start: false, note: () => {} }, ({ crew }) => ask(askable(crew)));

const askable = (crew: Crew): OnBus => ({
  async tasks(ended) {
    const tasks = (await crew.tasks()).filter(({ outcome }) => ended || outcome === null);
    return tasks.map(({ id, instruction }) => ({ word: id, about: oneLine(instruction) }));
  },
  /** The goals, until the typed text names one; then its artifacts. */
  async refs(typed) {
    const tasks = await crew.tasks();
    const goal = tasks.find(({ id, parent }) => parent === null && typed.startsWith(`${rootOf(id)}.`));
    if (!goal)
      return tasks
        .filter(({ parent }) => parent === null)
        .map(({ id, instruction }) => ({ word: `${rootOf(id)}.`, about: oneLine(instruction) }));
    const { rows } = await crew.artifactPage(goalOf(goal.id), { limit: mostRefs });
    return rows.map(({ ref, name, kind }) => ({ word: ref, about: oneLine(name ?? kind) }));
  },
  async letters() {
    return (await (await lettersOf(crew)).list()).map(({ id, why }) => ({ word: id, about: oneLine(why) }));
  },
  async keys(ref) {
    const id = await findTask(crew, ref);
    const nodes = (await crew.tree(id)).filter(({ parent, key }) => parent === id && key !== null);
    return nodes.map(({ key, instruction }) => ({ word: key!, about: oneLine(instruction) }));
  },
  async question(ref) {
    return (await crew.status(await findTask(crew, ref)))?.question ?? null;
  },
});

/** Options that commander itself adds to every command. */
const everywhere: readonly OptionRow[] = [
  ['-h, --help', 'display help for command'],
  ['-V, --version', 'output the version number'],
];
const isShown = ({ hidden }: Command): boolean => hidden !== true;
const commandWord = ({ name, summary }: Command): Word => ({ word: name, about: summary });
const flagWord = ([flags, about]: OptionRow): Word => ({ word: longOf(flags), about });
const bare = (words: Iterable<string>): Word[] => [...words].map((word) => ({ word, about: '' }));
const fitting = (all: readonly Word[], typed: string): Word[] => all.filter(({ word }) => word.startsWith(typed));

/** Completes the last word of a list such as `files,re`. Words before it are kept and not offered again. */
function inList(typed: string, all: readonly Word[]): Word[] {
  const named = typed.split(',').slice(0, -1);
  const rest = all.filter(({ word }) => !named.includes(word));
  return fitting(
    rest.map(({ word, about }) => ({ word: [...named, word].join(','), about })),
    typed,
  );
}
