/**
 * Turns a goal into a plan: the plan that came with the task, or one by the orchestrating model. A large model writes a DAG. A
 * small embedded model fills in a `map` (items, one instruction for each of them, and a final one), and code builds the DAG from
 * it.
 */
import { z } from 'zod';
import { PlanTask } from '../../bus/messages.ts';
import { noUsage } from '../../machines/conversation.ts';
import { check, explain, isPlainReducer, type NodeSpec, type Reduce } from '../../machines/plan.ts';
import type { DecomposeInput, SupervisorEvent } from '../../machines/supervisor-context.ts';
import { CoxError } from '../../platform/errors.ts';
import type { Backends } from '../../roster/backends.ts';
import type { ChatMessage } from '../../roster/conversation.ts';
import { requireCoordinator } from '../../roster/coordinator.ts';
import type { Purse } from '../../roster/purse.ts';
import type { Roster } from '../../roster/schema.ts';
import { effect } from '../host/effect.ts';
import { failureOf } from '../host/failure-of.ts';
import { Meter, metered } from '../host/meter.ts';
import type { EffectHost } from '../host/role.ts';
import { filesIn } from './names-in.ts';
import { orchestrator } from './orchestrator.ts';

export interface PlanOptions {
  readonly backends: Backends;
  readonly roster: () => Roster;
  /** Kinds of sub-agent that a plan may name, each with a description. */
  readonly kinds: () => readonly { readonly name: string; readonly about: string }[];
}
interface Planned {
  readonly nodes: readonly NodeSpec[];
  readonly reduce: Reduce;
}

export const decompose = (host: EffectHost, options: PlanOptions) =>
  effect<DecomposeInput, SupervisorEvent>(
    async (input, say, signal) => {
      const given = host.spec.plan;
      const isAsDispatched = input.instruction === host.spec.instruction;
      if (given && isAsDispatched) {
        const kinds = new Set(options.kinds().map(({ name }) => name));
        // A task that begins again does not repeat the sub-tasks that have returned.
        const tasks = given.tasks.filter(({ key }) => !Object.hasOwn(input.nodes, key));
        const problem = planProblem(tasks, kinds, input, options.roster().supervision.maxTasks);
        if (problem)
          throw new CoxError('bad-plan', `The plan can't be carried out: ${problem}`, {
            hint: 'Correct the plan and dispatch it again.',
          });
        return say({
          type: 'PLANNED',
          nodes: tasks,
          reduce: given.reduce,
          usage: noUsage,
          backend: 'plan',
        });
      }
      await host.committed(signal);
      requireCoordinator(options.roster());
      const route = orchestrator(options.backends, input.backend, host.spec.avoid);
      host.onBackend(route.backend);
      host.note(`plan by ${route.backend}: ${route.why}`);
      const isSmall = options.backends.menu().find(({ name }) => name === route.backend)?.kind === 'embedded';
      const meter = new Meter(host, route.backend, say, signal);
      const { plan, usage } = await metered(meter, () =>
        isSmall
          ? askForMap(route.backend, input, options, signal, meter)
          : askForPlan(route.backend, input, options, signal, meter),
      );
      say({ type: 'PLANNED', ...plan, usage: meter.bill(usage), backend: route.backend });
    },
    (cause) => ({ type: 'PLAN_FAILED', error: failureOf(cause) }),
  );

const firstLines = ({ instruction, corrections, nodes }: DecomposeInput): string =>
  [
    `Goal: ${instruction}`,
    ...corrections.map((text) => `The operator added: ${text}`),
    ...Object.keys(nodes).map((key) => `Done already: ${key}`),
  ].join('\n');

const kindList = (options: PlanOptions) =>
  options
    .kinds()
    .map(({ name, about }) => `- ${name}: ${about}`)
    .join('\n');

// --- the map shape

async function askForMap(backend: string, input: DecomposeInput, options: PlanOptions, signal: AbortSignal, purse: Purse) {
  const [first, ...rest] = options.kinds().map(({ name }) => name);
  if (!first) throw new CoxError('no-kinds', 'The roster has no kinds of agent', { hint: 'Add one under `agents`.' });
  const named = filesIn([input.instruction, ...input.corrections].join('\n')).slice(0, mostFiles);
  const MapShape = z.object({
    // Code finds the files, and the model says one word about each.
    files: z.object(Object.fromEntries(named.map((name) => [name, z.enum(['read', 'write'])]))),
    kind: z.enum([first, ...rest]),
    items: z.array(z.string().min(1).max(120)).min(1).max(12),
    each: z.string().min(1).max(400),
    final: z.string().min(1).max(400),
  });
  const messages: ChatMessage[] = [
    {
      role: 'system',
      text: `You split a goal into equal sub-tasks, one per item. Fill in:
- files: for each file of the goal, whether it is only read, or whether the goal asks to write, create or change it.
- kind: who does the sub-tasks:
${kindList(options)}
- items: what the sub-tasks are about, one each, as short as possible: file names, names, parts of the question. Only what the goal names, and no file that is to be written.
- each: what to do with one item, and what to look for there, in the words of the goal; write {item} where the item goes.
- final: what to do with all results to reach the goal.`,
    },
    { role: 'user', text: 'Goal: Compare the prices in a.txt and b.txt and say which shop is cheaper' },
    {
      role: 'assistant',
      text: '{"files":{"a.txt":"read","b.txt":"read"},"kind":"files","items":["a.txt","b.txt"],"each":"Read {item} and list the prices in it.","final":"Compare the prices and say which shop is cheaper."}',
    },
    { role: 'user', text: 'Goal: Read plan.md and diary.md and say in two sentences what the team builds and what worries it' },
    {
      role: 'assistant',
      text: '{"files":{"plan.md":"read","diary.md":"read"},"kind":"files","items":["plan.md","diary.md"],"each":"Read {item} and say what the team builds and what worries it.","final":"Say in two sentences what the team builds and what worries it."}',
    },
    { role: 'user', text: 'Goal: Read log.txt and put a list of the errors into errors.md' },
    {
      role: 'assistant',
      text: '{"files":{"log.txt":"read","errors.md":"write"},"kind":"files","items":["log.txt"],"each":"Read {item} and list the errors in it.","final":"List the errors."}',
    },
    { role: 'user', text: firstLines(input) },
  ];
  const { value, usage } = await options.backends.ask(
    backend,
    { messages, shape: MapShape, shapeName: 'plan', temperature: 0, maxOutputTokens: 700 },
    signal,
    purse,
  );
  return { plan: planOfMap(value, input, options.roster()), usage };
}

/** Most files of a goal that the model is asked about. */
const mostFiles = 12;

interface PlanMap {
  readonly files: Readonly<Record<string, 'read' | 'write'>>;
  readonly kind: string;
  readonly items: readonly string[];
  readonly each: string;
  readonly final: string;
}

/**
 * One sub-task for each item. Each file that the goal asks for has a sub-task of its own that comes after them and must have
 * written the file when it ends.
 */
export function planOfMap(
  map: PlanMap,
  input: Pick<DecomposeInput, 'nodes' | 'instruction'>,
  roster: Pick<Roster, 'reducer'>,
): Planned {
  const taken = new Set(Object.keys(input.nodes));
  const written = Object.keys(map.files).filter((name) => map.files[name] === 'write');
  const items = [...new Set(map.items.map((item) => item.trim()))].filter((item) => item !== '' && !written.includes(item));
  const node = (item: string, instruction: string, after: readonly string[]): NodeSpec => ({
    ...{ key: freshKey(item, taken), type: map.kind, instruction, needs: [], after, backend: null },
  });
  // A file that is both read and written needs no sub-task that only reads.
  const isOnlyWritten = written.length > 0 && Object.values(map.files).every((use) => use === 'write');
  const parts = (isOnlyWritten ? [] : items).map((item) =>
    node(item, map.each.includes('{item}') ? map.each.replaceAll('{item}', item) : `${map.each} (${item})`, []),
  );
  const after = parts.map(({ key }) => key);
  const writing = written.map((name) => ({
    ...node(
      name,
      `${input.instruction}\n\nYour part: write the file ${name}. ${after.length > 0 ? map.final : ''}`.trim(),
      after,
    ),
    produces: [{ file: name }],
  }));
  return { nodes: [...parts, ...writing], reduce: reduceBy(roster, map.final) };
}

const reduceBy = ({ reducer }: Pick<Roster, 'reducer'>, instruction: string): Reduce => {
  if (reducer === 'orchestrator') return { by: 'orchestrator', instruction };
  if (isPlainReducer(reducer)) return { by: reducer };
  return { by: 'backend', backend: reducer, instruction };
};

/** Makes a key that resembles the item, because operators type keys. */
function freshKey(item: string, taken: Set<string>): string {
  const base =
    item
      .replaceAll(/[^A-Za-z0-9_.-]+/g, '-')
      .replaceAll(/^[^A-Za-z0-9]+|-+$/g, '')
      .slice(0, 40) || 'item';
  for (let n = 1; ; n++) {
    const key = n === 1 ? base : `${base}-${n}`;
    if (taken.has(key)) continue;
    taken.add(key);
    return key;
  }
}

// --- a whole plan

async function askForPlan(backend: string, input: DecomposeInput, options: PlanOptions, signal: AbortSignal, purse: Purse) {
  const { supervision } = options.roster();
  const kinds = new Set(options.kinds().map(({ name }) => name));
  const Plan = z
    .object({
      tasks: z
        .array(
          PlanTask.omit({ backend: true, produces: true, expect: true }).extend({
            writes: z.array(z.string().min(1).max(1024)).max(16).default([]),
          }),
        )
        .min(1)
        .max(Math.min(supervision.maxTasks, 200)),
      final: z.string().min(1).max(4_000),
    })
    .superRefine(({ tasks }, context) => {
      const problem = planProblem(
        tasks.map((task) => ({ ...task, backend: null })),
        kinds,
        input,
        supervision.maxTasks,
      );
      if (problem) context.addIssue({ code: 'custom', path: ['tasks'], message: problem });
    });
  const messages: ChatMessage[] = [
    {
      role: 'system',
      text: `You split a goal into sub-tasks that other agents carry out in parallel. Each agent sees only its own instruction, and the results of the sub-tasks named in its "after". Use as few sub-tasks as serve the goal; let independent ones run side by side.
Fill in tasks [{ key, type, instruction, needs, after, writes }] and final: what to make of the results. writes: the files that the sub-task must have written when it ends, where the goal asks for files.
Types:
${kindList(options)}`,
    },
    { role: 'user', text: firstLines(input) },
  ];
  const { value, usage } = await options.backends.ask(
    backend,
    { messages, shape: Plan, shapeName: 'plan', temperature: 0 },
    signal,
    purse,
  );
  // Models invent capabilities. A capability that no backend claims would leave the sub-task without a backend.
  const claimed = new Set(options.backends.menu().flatMap(({ goodAt }) => goodAt));
  const nodes = value.tasks.map(
    ({ writes, ...task }): NodeSpec => ({
      ...{ ...task, needs: task.needs.filter((need) => claimed.has(need)), backend: null },
      ...(writes.length > 0 && { produces: writes.map((file) => ({ file })) }),
    }),
  );
  return { plan: { nodes, reduce: reduceBy(options.roster(), value.final) }, usage };
}

function planProblem(
  nodes: readonly NodeSpec[],
  kinds: ReadonlySet<string>,
  { nodes: done }: Pick<DecomposeInput, 'nodes'>,
  maxTasks: number,
): string | null {
  if (nodes.length > maxTasks) return `it has ${nodes.length} sub-tasks, the roster allows ${maxTasks}`;
  const stranger = nodes.find(({ type }) => !kinds.has(type) && type !== 'supervisor');
  if (stranger) return `${stranger.key} is of type ${stranger.type}; there are ${[...kinds].join(', ')}`;
  const clash = nodes.find(({ key }) => Object.hasOwn(done, key));
  if (clash) return `${clash.key} is done already; choose another key`;
  const fault = check(nodes, Object.keys(done));
  return fault && explain(fault);
}
