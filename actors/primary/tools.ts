/**
 * The tools of the primary agent: everything that an operator can do, through the same crew. They read facts about tasks from the
 * bus at that moment. An error (an unknown task, an unknown backend) is thrown with a message that tells the model what to try.
 */
import { z } from 'zod';
import type { Crew, Sent } from '../../bus/crew.ts';
import { type Receipt, type SteeringInput, Urgency } from '../../bus/messages.ts';
import type { Memory } from '../../bus/shared-memory.ts';
import type { TaskId } from '../../bus/task-id.ts';
import { withTimeLimit } from '../../platform/time-limit.ts';
import type { Backends } from '../../roster/backends.ts';
import type { MenuEntry } from '../../roster/menu.ts';
import { swapProblem } from '../host/backend-swap.ts';
import { memoryTools } from '../tools/memory.ts';
import { clip, defineTool, type Tool, type ToolOutput } from '../tools/tool.ts';
import type { Call } from './decide.ts';
import { askAboutAll, type Lookup, lookUp, meansAll } from './lookup.ts';
import { inWords, isOpen, taskLines } from './task-descriptions.ts';

export interface PrimaryToolsOptions {
  readonly crew: Crew;
  readonly backends: Backends;
  /** Kinds of sub-agent that can be dispatched. */
  readonly kinds: () => readonly string[];
  readonly memory: Memory;
  /** Absolute workspace of the tasks it dispatches; null: the workspace of the node that takes them. */
  readonly workspace: string | null;
  /** Called as soon as a task is dispatched, even if the operator interrupts meanwhile. */
  readonly onDispatched: (id: TaskId, instruction: string) => void;
  readonly isBorneOut: Lookup['isBorneOut'];
}

/** `did`: false for a call that changed nothing, so that it is not reported as done. */
export interface PrimaryOutput extends ToolOutput {
  readonly did?: boolean;
}

/** For how long a tool waits for the final receipt of a steer, in ms. */
const receiptMs = 10_000;
/** The sender of the primary's steers and the author of its notes. */
export const from = 'primary';

const Instruction = z.string().min(1).max(16_000);
const Id = z
  .string()
  .min(1)
  .max(200)
  .describe('id of the task, or the words that name it: k3xq.1, the second one, the translation');
const IdOrAll = Id.describe('id of the task, or the words that name it; `all` for every task');

async function lastReceipt(crew: Crew, id: TaskId, sent: Sent, signal: AbortSignal): Promise<Receipt | null> {
  let last: Receipt | null = null;
  for await (const receipt of crew.receipts(id, sent, signal)) last = receipt;
  return last;
}

/** Makes the tools. They can dispatch the kinds that the roster and the code have at this moment. */
export function primaryTools(options: PrimaryToolsOptions): Tool[] {
  const { crew, backends, kinds, workspace, onDispatched } = options;
  const Type = z.enum(['supervisor', ...kinds()]);

  const send = async (call: Call, message: SteeringInput, signal: AbortSignal): Promise<PrimaryOutput> => {
    const { id, status } = await lookUp(options, String(call.args.id), call);
    if (status.outcome) return { text: `${id} has ended already: ${status.outcome}.`, did: false };
    const sent = await crew.steer(id, { ...message, from });
    const last = await withTimeLimit(receiptMs, (within) => lastReceipt(crew, id, sent, within), signal);
    signal.throwIfAborted();
    const open = message.type === 'steer' && status.question ? ` Its question ${status.question.id} is still open.` : '';
    return { text: `${fateOf(id, message.type, last)}${open}`, did: last?.fate !== 'returned' };
  };
  /** A tool that cancels, pauses or resumes a task, or all of them after a question. */
  const forOneOrAll = (name: string, description: string, type: 'cancel' | 'pause' | 'resume') =>
    defineTool({
      name,
      description,
      args: z.object({ id: IdOrAll }),
      effects: 'writes',
      run: ({ id }, { signal }) =>
        meansAll(id) ? askAboutAll(options, name) : send({ tool: name, args: { id } }, { type }, signal),
    });

  return [
    defineTool({
      name: 'dispatch_task',
      description: 'Give a piece of work to a sub-agent.',
      args: z.object({ instruction: Instruction, type: Type.default('supervisor') }),
      effects: 'writes',
      run: async ({ instruction, type }) => {
        const id = await crew.dispatch({ type, instruction, workspace });
        onDispatched(id, instruction);
        return { text: `${id} is on it.` };
      },
    }),
    defineTool({
      name: 'delegate_many',
      description: 'Give several separate pieces of work to sub-agents that work side by side.',
      args: z.object({ instructions: z.array(Instruction).min(2).max(16), type: Type }),
      effects: 'writes',
      run: async ({ instructions, type }) => {
        const instruction = instructions.join('\n');
        const tasks = instructions.map((text, i) => ({ key: `part-${i + 1}`, type, instruction: text }));
        const id = await crew.dispatch({ type: 'supervisor', instruction, workspace, plan: { tasks, reduce: { by: 'concat' } } });
        onDispatched(id, instruction);
        return { text: `${id} is on it, with ${tasks.length} sub-tasks.` };
      },
    }),
    defineTool({
      name: 'check_task_status',
      description: 'How one task, or all of them, are going.',
      args: z.object({ id: Id.optional() }),
      effects: 'none',
      run: async ({ id: given }) => {
        const tasks = await crew.tasks();
        if (given === undefined) return { text: taskLines(tasks, 24) ?? 'There are no tasks.' };
        const { id, status } = await lookUp(options, given, { tool: 'check_task_status', args: {} });
        const below = tasks.filter((task) => task.parent === id && isOpen(task));
        return { text: [inWords(status), taskLines(below, 24)].filter(Boolean).join('\n') };
      },
    }),
    defineTool({
      name: 'steer_task',
      description: 'Correct a running task, or tell it something.',
      args: z.object({ id: Id, text: z.string().min(1).max(16_000), urgency: Urgency.optional() }),
      effects: 'writes',
      run: ({ id, text, urgency }, { signal }) =>
        send({ tool: 'steer_task', args: { id, text } }, { type: 'steer', text, ...(urgency && { urgency }) }, signal),
    }),
    defineTool({
      name: 'answer_question',
      description: "Answer a task's open question.",
      args: z.object({ id: Id, question: z.string().min(1).max(64).describe('q1'), text: z.string().min(1).max(16_000) }),
      effects: 'writes',
      run: ({ id, question, text }, { signal }) =>
        send({ tool: 'answer_question', args: { id, question, text } }, { type: 'answer', question, text }, signal),
    }),
    forOneOrAll('cancel_task', 'Stop a task for good.', 'cancel'),
    forOneOrAll('pause_task', 'Let a task wait until it is resumed.', 'pause'),
    forOneOrAll('resume_task', 'Let a paused task go on.', 'resume'),
    defineTool({
      name: 'raise_budget',
      description: 'Give a task more steps or more US dollars.',
      args: z.object({
        id: Id,
        steps: z.number().int().min(1).max(10_000).optional(),
        costUsd: z.number().positive().optional(),
      }),
      effects: 'writes',
      run: ({ id, steps, costUsd }, { signal }) =>
        send(
          { tool: 'raise_budget', args: { id, steps, costUsd } },
          { type: 'budget', ...(steps !== undefined && { steps }), ...(costUsd !== undefined && { costUsd }) },
          signal,
        ),
    }),
    defineTool({
      name: 'get_task_result',
      description: 'What a task has found.',
      args: z.object({ id: Id }),
      effects: 'none',
      run: async ({ id: given }) => {
        const { id, status } = await lookUp(options, given, { tool: 'get_task_result', args: {} });
        const result = await crew.peekResult(id);
        if (!result) return { text: `${id} has no result yet. ${inWords(status)}` };
        const { outcome, output, failure, salvage } = result;
        if (outcome === 'completed')
          return { text: `${id} has found:\n${clip(output ?? '(nothing)', `the whole is the result of ${id}`)}` };
        const found = salvage.findings.length > 0 ? `\nFound so far:\n${salvage.findings.join('\n')}` : '';
        return {
          text: clip(
            `${id} ${outcome === 'failed' ? 'has failed' : 'was cancelled'}${failure ? `: ${failure.message}` : ''}.${found}`,
            `see the result of ${id}`,
          ),
        };
      },
    }),
    defineTool({
      name: 'swap_model',
      description: 'Let another backend do a task from now on.',
      args: z.object({ id: Id, backend: z.string().min(1).max(64) }),
      effects: 'writes',
      run: async ({ id, backend }, { signal }) => {
        const { status } = await lookUp(options, id, { tool: 'swap_model', args: { id, backend } });
        const name = otherOf(backend, status.backend, backends.menu()) ?? backend;
        const problem = swapProblem(name, backends);
        if (problem) throw new Error(problem);
        return send({ tool: 'swap_model', args: { id, backend: name } }, { type: 'swap', backend: name }, signal);
      },
    }),
    defineTool({
      name: 'list_backends',
      description: 'Which models there are and what they are good at.',
      args: z.object({}),
      effects: 'none',
      run: async () => ({ text: backends.menu().map(backendLine).join('\n') }),
    }),
    ...memoryTools(options.memory),
  ];
}

/** Tools whose result is the whole answer. A small model's own words would only be slower and less true. */
export const closingTools: ReadonlySet<string> = new Set([
  'dispatch_task',
  'delegate_many',
  'check_task_status',
  'steer_task',
  'answer_question',
  'cancel_task',
  'pause_task',
  'resume_task',
  'raise_budget',
  'get_task_result',
  'swap_model',
  'list_backends',
  'remember',
]);

/** The fate of a message to a task, as a sentence for the operator. */
function fateOf(id: TaskId, kind: string, receipt: Receipt | null): string {
  const why = receipt?.reason ? ` (${receipt.reason})` : '';
  switch (receipt?.fate) {
    case 'applied': {
      if (kind === 'cancel') return `${id} is cancelled.`;
      if (kind === 'pause' || kind === 'resume') return `${id} is ${kind}d${why}.`;
      if (kind === 'answer' && receipt.reason) return `${id}: ${receipt.reason}.`;
      const reached = receipt.reached?.length ? `, and relayed it to ${receipt.reached.join(', ')}` : '';
      return `${id} has taken it up${receipt.step ? ` at step ${receipt.step}` : ''}${reached}${why}.`;
    }
    case 'returned':
      return `${id} did not take it: ${receipt.reason ?? 'no reason given'}.`;
    default:
      return `${id} will get it; it has not seen it yet${why}.`;
  }
}

const backendLine = ({ name, model, tier, goodAt, cost, why }: MenuEntry): string => {
  const price =
    cost === null ? 'cost unknown' : cost.input + cost.output === 0 ? 'free' : `$${cost.input}/$${cost.output} per M tokens`;
  return `- ${name}${model && model !== name ? ` (${model})` : ''}: ${tier}, ${price}, good at ${goodAt.join(', ') || 'nothing in particular'}${why ? `; not available: ${why}` : ''}`;
};

/** "The other model" is certain where there are two. */
function otherOf(given: string, present: string | null, menu: readonly MenuEntry[]): string | null {
  if (
    !/^(?:the )?other(?:[ _-]?(?:model|backend|one))?$|^(?:das )?andere|autre/i.test(given) ||
    menu.some(({ name }) => name === given)
  )
    return null;
  const others = menu.filter(({ name }) => name !== present);
  return others.length === 1 ? others[0]!.name : null;
}
