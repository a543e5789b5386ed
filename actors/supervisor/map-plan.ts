/**
 * The plan of a small embedded model. It fills in a `map` (what becomes of each file, items, one instruction for each of them, and
 * a final one), and code builds the sub-tasks from it.
 */
import { z } from 'zod';
import type { NodeSpec, Reduce } from '../../machines/plan.ts';
import type { DecomposeInput } from '../../machines/supervisor-context.ts';
import { CoxError } from '../../platform/errors.ts';
import type { ChatMessage } from '../../roster/conversation.ts';
import type { Purse } from '../../roster/purse.ts';
import type { Roster } from '../../roster/schema.ts';
import { listing } from '../tools/files/paths.ts';
import { lookAtName } from '../tools/vision/look-at.ts';
import { isFile, resolveInside } from '../tools/workspace.ts';
import { addressesIn, filesIn } from './names-in.ts';
import { kindForPages, withFittingKinds } from './page-plan.ts';
import { firstLines, kindList, type Planned, type PlannedKind, type PlanOptions, reduceBy } from './plan-request.ts';

export async function askForMap(backend: string, input: DecomposeInput, given: PlanOptions, signal: AbortSignal, purse: Purse) {
  const options = withFittingKinds(given, [input.instruction, ...input.corrections].join('\n'));
  const [first, ...rest] = options.kinds().map(({ name }) => name);
  if (!first) throw new CoxError('no-kinds', 'The roster has no kinds of agent', { hint: 'Add one under `agents`.' });
  const named = await namedFiles([input.instruction, ...input.corrections].join('\n'), options);
  const Use = z.enum(['read', 'write']);
  const MapShape = z.object({
    // Code finds the files, and the model says one word about each.
    files: z.object(Object.fromEntries(named.map((name) => [name, Use]))),
    say: z.enum(['nothing', 'an answer']),
    kind: z.enum([first, ...rest]),
    items: z.array(z.string().min(1).max(120)).min(1).max(12),
    each: z.string().min(1).max(400),
    final: z.string().min(1).max(400),
  });
  const messages: ChatMessage[] = [
    { role: 'system', text: promptOf(options) },
    ...examples.flatMap(([goal, map]): ChatMessage[] => [
      { role: 'user', text: `Goal: ${goal}` },
      { role: 'assistant', text: JSON.stringify(map) },
    ]),
    { role: 'user', text: firstLines(input) },
  ];
  const { value, usage } = await options.backends.ask(
    backend,
    { messages, shape: MapShape, shapeName: 'plan', temperature: 0, maxOutputTokens: 700 },
    signal,
    purse,
  );
  if (input.corrections.length === 0) await mustBeThere(value.files, options);
  return { plan: planOfMap(value, input, options.roster(), options.kinds()), usage };
}

const promptOf = (options: PlanOptions): string => `You split a goal into equal sub-tasks, one per item. Fill in:
- files: for each file of the goal, whether it is only read, or whether the goal asks to write, create or change it.
- say: "nothing" if the goal only asks for files; "an answer" if it asks to say, tell or find out something.
- kind: who does the sub-tasks:
${kindList(options)}
- items: what the sub-tasks are about, one each, as short as possible: file names, names, parts of the question. Only what the goal names, and no file that is to be written.
- each: what to do with one item, and what to look for there, in the words of the goal; write {item} where the item goes.
- final: what to do with all results to reach the goal.`;

const examples: readonly (readonly [goal: string, map: PlanMap])[] = [
  [
    'Compare the prices in a.txt and b.txt and say which shop is cheaper',
    {
      files: { 'a.txt': 'read', 'b.txt': 'read' },
      say: 'an answer',
      kind: 'files',
      items: ['a.txt', 'b.txt'],
      each: 'Read {item} and list the prices in it.',
      final: 'Compare the prices and say which shop is cheaper.',
    },
  ],
  [
    'Read plan.md and diary.md and say in two sentences what the team builds and what worries it',
    {
      files: { 'plan.md': 'read', 'diary.md': 'read' },
      say: 'an answer',
      kind: 'files',
      items: ['plan.md', 'diary.md'],
      each: 'Read {item} and say what the team builds and what worries it.',
      final: 'Say in two sentences what the team builds and what worries it.',
    },
  ],
  [
    'Read log.txt and put a list of the errors into errors.md',
    {
      files: { 'log.txt': 'read', 'errors.md': 'write' },
      say: 'nothing',
      kind: 'files',
      items: ['log.txt'],
      each: 'Read {item} and list the errors in it.',
      final: 'List the errors.',
    },
  ],
];

/** Most files of a goal that the model is asked about. */
const mostFiles = 12;

/** The files that the goal names. `Node.js` is one only where there is such a file. */
async function namedFiles(text: string, { workspace }: PlanOptions): Promise<string[]> {
  const named = filesIn(text).slice(0, mostFiles);
  const isProduct = (name: string) => /^[A-Z][A-Za-z0-9]*\.js$/.test(name);
  const kept = await Promise.all(named.map(async (name) => !isProduct(name) || (await isFile(workspace(), name))));
  return named.filter((_, at) => kept[at]);
}

/**
 * A small model that is to write about a file that is not there invents it. So the operator is asked before anything is written,
 * until they have added something.
 * @throws CoxError `no-file`.
 */
export async function mustBeThere(files: PlanMap['files'], { workspace }: Pick<PlanOptions, 'workspace'>): Promise<void> {
  const uses = Object.entries(files);
  if (uses.every(([, use]) => use === 'read')) return;
  const there = await resolveInside(workspace(), '.')
    .then((folder) => listing(folder, 40))
    .catch(() => null);
  // This node may not have the folder that the sub-tasks will work in.
  if (there === null) return;
  for (const [name, use] of uses) {
    if (use === 'write' || (await isFile(workspace(), name))) continue;
    const rest = there.join(', ') || 'no files';
    throw new CoxError('no-file', `The goal reads ${name}, and there is no such file; the workspace has ${rest}`, {
      hint: 'Say which file is meant, or that it is to be done without it.',
    });
  }
}

export interface PlanMap {
  readonly files: Readonly<Record<string, 'read' | 'write'>>;
  /** Whether the goal also asks for an answer in words, beside the files. */
  readonly say: 'nothing' | 'an answer';
  readonly kind: string;
  readonly items: readonly string[];
  readonly each: string;
  readonly final: string;
}

/** A sub-task that writes reads up to this many files itself, so that it writes from them and not from summaries of them. */
const fewFiles = 3;

/**
 * One sub-task for each item. Each file that the goal asks for has a sub-task of its own that comes after them and must have
 * written the file when it ends. Where the goal reads only a few files, these sub-tasks are enough.
 */
export function planOfMap(
  map: PlanMap,
  input: Pick<DecomposeInput, 'nodes' | 'instruction'>,
  roster: Pick<Roster, 'reducer'>,
  kinds: readonly Omit<PlannedKind, 'about'>[],
): Planned {
  const taken = new Set(Object.keys(input.nodes));
  const written = Object.keys(map.files).filter((name) => map.files[name] === 'write');
  const read = Object.keys(map.files).filter((name) => map.files[name] === 'read');
  const items = [...new Set(map.items.map((item) => item.trim()))].filter((item) => item !== '' && !written.includes(item));
  const node = (item: string, type: string, instruction: string, after: readonly string[]): NodeSpec => ({
    ...{ key: freshKey(item, taken), type, instruction, needs: [], after, backend: null },
  });
  const viewer = kinds.find((kind) => looks(kind) && kind.name === map.kind) ?? kinds.find(looks);
  const pages = kindForPages(input.instruction, kinds);
  const kindFor = (item: string): string => {
    if (isToBeSeen(item) && addressesIn(item).length === 0) return viewer?.name ?? map.kind;
    return addressesIn(item).length > 0 ? (pages ?? map.kind) : map.kind;
  };
  // A kind that writes files cannot look at pictures.
  const isDirect = written.length > 0 && read.length <= fewFiles && !read.some(isToBeSeen);
  const parts = (isDirect ? [] : items).map((item) => ({
    ...node(item, kindFor(item), map.each.includes('{item}') ? map.each.replaceAll('{item}', item) : `${map.each} (${item})`, []),
    // Only the sub-tasks of `writing` write files.
    ...(written.length > 0 && { produces: [] }),
  }));
  const after = parts.map(({ key }) => key);
  const writer = kinds.find(({ name, writes }) => writes && name === map.kind) ?? kinds.find(({ writes }) => writes);
  const writing = written.map((name) => ({
    ...node(name, writer?.name ?? map.kind, `${input.instruction}\n\nYour part: write the file ${name}.`, after),
    produces: [{ file: name }],
  }));
  const reduce: Reduce = writing.length > 0 && map.say === 'nothing' ? { by: 'effects' } : reduceBy(roster, map.final);
  return { nodes: [...parts, ...writing], reduce };
}

const looks = ({ tools }: Pick<PlannedKind, 'tools'>): boolean => tools.includes(lookAtName);

/** Pictures and documents are for a kind that can look at them. */
const isToBeSeen = (name: string): boolean => /\.(png|jpe?g|webp|gif|bmp|avif|pdf)$/i.test(name);

/** Makes a key that resembles the item, because operators type keys. */
function freshKey(item: string, taken: Set<string>): string {
  const base =
    item
      .replaceAll(/[^A-Za-z0-9_.-]+/g, '-')
      .replaceAll(/^[^A-Za-z0-9]+|-{1,40}$/g, '')
      .slice(0, 40) || 'item';
  for (let n = 1; ; n++) {
    const key = n === 1 ? base : `${base}-${n}`;
    if (taken.has(key)) continue;
    taken.add(key);
    return key;
  }
}
