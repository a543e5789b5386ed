/**
 * The tools of the primary agent: everything that an operator can do, through the same crew. They read facts about tasks from the
 * bus at that moment. An error (an unknown task, an unknown backend) is thrown with a message that tells the model what to try.
 */
import { z } from 'zod';
import type { Crew } from '../../bus/crew.ts';
import { type Receipt, type Status, type SteeringInput, Urgency } from '../../bus/messages.ts';
import type { Memory } from '../../bus/shared-memory.ts';
import { isTaskId, type TaskId } from '../../bus/task-id.ts';
import type { Backends } from '../../roster/backends.ts';
import type { MenuEntry } from '../../roster/menu.ts';
import { swapProblem } from '../host/backend-swap.ts';
import { memoryTools } from '../tools/memory.ts';
import { clip, defineTool, type Tool } from '../tools/tool.ts';
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
}

/** For how long a tool waits for the final receipt of a steer, in ms. */
const receiptMs = 10_000;
/** The sender of the primary's steers and the author of its notes. */
export const from = 'primary';

const Instruction = z.string().min(1).max(16_000);
const Id = z.string().min(1).max(64).describe('task id');

/** Makes the tools. They can dispatch the kinds that the roster and the code have at this moment. */
export function primaryTools(options: PrimaryToolsOptions): Tool[] {
  const { crew, backends, kinds, workspace, onDispatched } = options;
  const Type = z.enum(['supervisor', ...kinds()]);

  /** @throws Error if there is no such task. */
  const statusOf = async (given: string): Promise<{ id: TaskId; status: Status }> => {
    const id = given.trim().toLowerCase();
    const status = isTaskId(id) ? await crew.status(id) : null;
    if (status) return { id, status };
    const open = (await crew.tasks()).filter(isOpen).map((task) => task.id);
    const some = open.slice(-8).join(', ');
    throw new Error(`there is no task ${given}; ${some ? `unfinished tasks are ${some}` : 'there are no unfinished tasks'}`);
  };
  const send = async (given: string, message: SteeringInput, signal: AbortSignal): Promise<string> => {
    const { id, status } = await statusOf(given);
    if (status.outcome) return `${id} has ended already: ${status.outcome}.`;
    const sent = await crew.steer(id, { ...message, from });
    const within = AbortSignal.any([signal, AbortSignal.timeout(receiptMs)]);
    let last: Receipt | null = null;
    for await (const receipt of crew.receipts(id, sent, within)) last = receipt;
    signal.throwIfAborted();
    const open = message.type === 'steer' && status.question ? ` Its question ${status.question.id} is still open.` : '';
    return `${fateOf(id, message.type, last)}${open}`;
  };

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
        const { id, status } = await statusOf(given);
        const below = tasks.filter((task) => task.parent === id && isOpen(task));
        return { text: [inWords(status), taskLines(below, 24)].filter(Boolean).join('\n') };
      },
    }),
    defineTool({
      name: 'steer_task',
      description: 'Correct a running task, or tell it something.',
      args: z.object({ id: Id, text: z.string().min(1).max(16_000), urgency: Urgency.optional() }),
      effects: 'writes',
      run: async ({ id, text, urgency }, { signal }) => ({
        text: await send(id, { type: 'steer', text, ...(urgency && { urgency }) }, signal),
      }),
    }),
    defineTool({
      name: 'answer_question',
      description: "Answer a task's open question.",
      args: z.object({ id: Id, question: z.string().min(1).max(64).describe('q1'), text: z.string().min(1).max(16_000) }),
      effects: 'writes',
      run: async ({ id, question, text }, { signal }) => ({ text: await send(id, { type: 'answer', question, text }, signal) }),
    }),
    defineTool({
      name: 'cancel_task',
      description: 'Stop a task for good.',
      args: z.object({ id: Id }),
      effects: 'writes',
      run: async ({ id }, { signal }) => ({ text: await send(id, { type: 'cancel' }, signal) }),
    }),
    defineTool({
      name: 'get_task_result',
      description: 'What a task has found.',
      args: z.object({ id: Id }),
      effects: 'none',
      run: async ({ id: given }) => {
        const { id, status } = await statusOf(given);
        const result = await crew.peekResult(id);
        if (!result) return { text: `${id} has no result yet. ${inWords(status)}` };
        const { outcome, output, failure, salvage } = result;
        if (outcome === 'completed') return { text: clip(output ?? '(nothing)', `the whole is the result of ${id}`) };
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
        const problem = swapProblem(backend, backends);
        if (problem) throw new Error(problem);
        return { text: await send(id, { type: 'swap', backend }, signal) };
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
