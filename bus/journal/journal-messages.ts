/** The messages of the verb `journal`: the steps of one task, rebuilt from its state record and its statuses (docs/adr/0038). */
import { z } from 'zod';
import { TaskSpec, TaskState, TaskType, Usage } from '../messages.ts';
import { TaskId } from '../task-id.ts';

/** Most steps in one reply. */
export const maxJournalSteps = 100;

export const JournalQuery = z
  .object({
    task: TaskId,
    from: z.number().int().min(0).max(1_000_000).default(1).describe('The first step to show.'),
    limit: z.number().int().min(1).max(maxJournalSteps).default(maxJournalSteps).describe('Most steps in the reply.'),
    prompts: z
      .enum(['none', 'changes', 'whole'])
      .default('changes')
      .describe('`changes`: of each prompt, what the step before did not have. `whole`: all of it; ask for few steps.'),
    spec: z.boolean().optional().describe('Whether the reply has the order for the task.'),
  })
  .strict();
export type JournalQuery = z.infer<typeof JournalQuery>;

/** Why a step was made, or why it differs from the step before. */
export const Why = z.object({
  kind: z
    .enum(['start', 'reply', 'tool', 'steer', 'answer', 'redirect', 'result', 'restart', 'swap', 'compaction', 'check'])
    .describe(
      '`start`: the instruction, or the step that the task was forked from. `reply`: a reply that was cut off. `tool`: the result of a call. `result`: a sub-task has returned. `restart`: another worker took the task over. `compaction`: the prompt was shortened to fit. `check`: the answer was not what the task must produce.',
    ),
  text: z.string().describe('In words; a long text is cut.'),
  steer: z.string().optional().describe('The steering message.'),
  call: z.string().optional().describe('The call of the task.'),
  task: TaskId.optional().describe('The sub-task that returned, or the task that this one was forked from.'),
});
export type Why = z.infer<typeof Why>;

const JournalCall = z.object({ id: z.string(), tool: z.string(), args: z.unknown().optional() });
/** A message of a prompt. Pictures are named by their artifacts. */
export const PromptMessage = z.object({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  text: z.string(),
  calls: z.array(JournalCall).optional(),
  call: z.string().optional().describe('For the result of a call: the call.'),
  unfinished: z.literal(true).optional().describe('The reply was cut off.'),
  images: z.array(z.string()).optional().describe('Names of artifacts.'),
});
export type PromptMessage = z.infer<typeof PromptMessage>;

export const JournalPrompt = z.object({
  is: z
    .enum(['as-sent', 'rebuilt', 'conversation'])
    .describe(
      '`as-sent`: its digest is that of the request that was sent. `rebuilt`: it is not, and `changed` says what has changed since. `conversation`: only the messages of the task; this node cannot build the request, or no digest was kept.',
    ),
  changed: z
    .array(z.enum(['prompt', 'notes', 'tools', 'conversation']))
    .optional()
    .describe('The parts that differ from what was sent: prompt of the kind, notes of the workspace, tools, conversation.'),
  digest: z.string().optional().describe('Digests of the parts of the request that was sent, joined by dots.'),
  count: z.number().int().nonnegative().describe('Number of messages of the whole prompt.'),
  same: z.number().int().nonnegative().describe('Number of messages at its beginning that are left out here.'),
  messages: z.array(PromptMessage).describe('The messages after those.'),
  tools: z.array(z.string()).optional().describe('Names of the tools that were offered, where they differ from the step before.'),
});
export type JournalPrompt = z.infer<typeof JournalPrompt>;

export const JournalStep = z.object({
  step: z.number().int().nonnegative(),
  at: z.iso.datetime().describe('When the step began, as its first commit says.'),
  until: z.iso.datetime().describe('Time of its last commit.'),
  node: z.string(),
  epoch: z.number().int().nonnegative(),
  backend: z.string().nullable(),
  state: TaskState.describe('What the step was for: `thinking`, `decomposing` or `reducing`.'),
  instruction: z.string().optional().describe('The instruction in force, where it is not that of the order.'),
  why: z.array(Why),
  usage: Usage.describe('What the step used.'),
  outcome: z
    .enum(['replied', 'interrupted', 'failed', 'lost'])
    .optional()
    .describe('`interrupted`: by an operator. `lost`: with its worker. Left out while the step is under way.'),
  reply: z.object({ text: z.string(), calls: z.array(JournalCall).optional() }).optional(),
  note: z.string().optional().describe('Remarks of the worker, for instance why this backend was chosen.'),
  prompt: JournalPrompt.optional(),
});
export type JournalStep = z.infer<typeof JournalStep>;

/** A task that goes on from a step of another one. */
export const ForkRow = z.object({ id: TaskId, step: z.number().int().positive() });
export type ForkRow = z.infer<typeof ForkRow>;

export const JournalReply = z.object({
  task: TaskId,
  type: TaskType,
  instruction: z.string(),
  outcome: z.enum(['completed', 'failed', 'cancelled']).nullable(),
  steps: z.array(JournalStep),
  next: z.number().int().nonnegative().nullable().describe('`from` of the next page; null: there are no more steps yet.'),
  forkOf: ForkRow.nullable().describe('The step that the task was forked from.'),
  forks: z.array(ForkRow).describe('The tasks that were forked from this one, where this reply has its first step.'),
  archived: z.string().optional().describe('For an imported tree: the id of the task where it ran.'),
  spec: TaskSpec.optional(),
});
export type JournalReply = z.infer<typeof JournalReply>;
