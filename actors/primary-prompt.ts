/** What the primary agent's model is shown: who it is, which tasks there are at this moment, and as much of the talk as fits. */
import type { TaskSummary } from '../bus/tree.ts';
import type { Message } from '../machines/conversation.ts';
import { lastTurns } from '../machines/turns.ts';
import type { ChatMessage, ModelRequest, RequestedCall } from '../roster/conversation.ts';
import type { MenuEntry } from '../roster/menu.ts';
import { taskLines } from './task-words.ts';
import { type Tool, toolSpec } from './tools/tool.ts';

export interface PromptOptions {
  readonly messages: readonly Message[];
  /** It must answer now: no tools. */
  readonly isLast: boolean;
  /** Null: the bus does not answer. */
  readonly tasks: readonly TaskSummary[] | null;
  readonly tools: readonly Tool[];
  readonly backend: Pick<MenuEntry, 'kind' | 'context'>;
  readonly menu: readonly MenuEntry[];
}

const who = `You are the primary agent of Coxswain. The operator talks to you. Sub-agents do the work; you give it to them and steer them.
- Greetings, thanks and general questions: answer yourself, in one or two sentences.
- Work of any kind (read, write, search, compare, summarize, plan; anything about files): dispatch_task, with the operator's own words. You can't see files yourself. Never make up a result.
- How are things going, what is happening: check_task_status.
- "tell <task> …", a change or correction of a task that runs: steer_task. Don't dispatch it again.
- A task waits with a question and the operator answers it: answer_question.
- Stop or cancel a task: cancel_task. What a task found: get_task_result.`;
const conclude = 'Use no more tools. Say where things stand, and what is left to do.';

/** Tokens of a prompt by its characters, on the safe side: ids and JSON are dense. */
const charsPerToken = 3;
/** Where the roster does not say. */
const contextTokens = 32_000;
/** A small model reads some hundred tokens a second: a long talk would make every reply slow. */
const smallTalkChars = 4_000;
const taskLinesShown = 12;

export function promptFor({ messages, isLast, tasks, tools, backend, menu }: PromptOptions): ModelRequest {
  const isSmall = backend.kind === 'embedded';
  const specs = isLast ? [] : useful(tools, tasks ?? [], menu).map(toolSpec);
  const list = tasks === null ? 'unknown, the bus does not answer' : (taskLines(tasks, taskLinesShown) ?? 'none');
  const system = [who, ...(isLast ? [conclude] : []), `Tasks now:\n${list}`].join('\n\n');
  const room = ((backend.context ?? contextTokens) * charsPerToken * 3) / 4 - system.length - JSON.stringify(specs).length;
  const chars = Math.max(1_000, isSmall ? Math.min(room, smallTalkChars) : room);
  return {
    messages: [
      { role: 'system', text: system },
      ...(isSmall && !isLast ? examples(tasks ?? []) : []),
      ...fitting(messages, chars),
    ],
    ...(specs.length > 0 ? { tools: specs } : {}),
    temperature: 0,
  };
}

/** Only tools that can do something now: a short list is read faster, and a small model goes less astray. */
function useful(tools: readonly Tool[], tasks: readonly TaskSummary[], menu: readonly MenuEntry[]): Tool[] {
  const hasTasks = tasks.length > 0;
  const isOf: Record<string, boolean> = {
    check_task_status: hasTasks,
    steer_task: hasTasks,
    cancel_task: hasTasks,
    get_task_result: hasTasks,
    answer_question: tasks.some(({ question }) => question !== null),
    swap_model: hasTasks && menu.length > 1,
  };
  return tools.filter(({ name }) => isOf[name] ?? true);
}

/** The newest turns; no result takes more than a third of the room. */
function fitting(messages: readonly Message[], maxChars: number): readonly Message[] {
  const most = Math.floor(maxChars / 3);
  const clipped = messages.map((message) =>
    message.role !== 'user' && message.text.length > most ? { ...message, text: `${message.text.slice(0, most)} […]` } : message,
  );
  return lastTurns(clipped, maxChars);
}

/** For a model that learns better from examples than from rules. */
function examples(tasks: readonly TaskSummary[]): ChatMessage[] {
  const said = (text: string, reply: string): ChatMessage[] => [
    { role: 'user', text },
    { role: 'assistant', text: reply },
  ];
  const done = (text: string, tool: string, args: object, result: string): ChatMessage[] => {
    const call: RequestedCall = { id: `e-${tool}`, tool, args };
    return [
      { role: 'user', text },
      { role: 'assistant', text: '', calls: [call] },
      { role: 'tool', call: call.id, text: result },
      { role: 'assistant', text: result },
    ];
  };
  return [
    ...said('Hello!', 'Hello! What shall be done?'),
    ...done('summarize notes.txt for me', 'dispatch_task', { instruction: 'Summarize notes.txt' }, 'zz11.0 is on it.'),
    ...(tasks.length > 0
      ? [
          ...done('what are they doing?', 'check_task_status', {}, 'zz11.0 is being planned.'),
          ...done(
            'tell zz11.0 to keep it short',
            'steer_task',
            { id: 'zz11.0', text: 'Keep it short' },
            'zz11.0 has taken it up.',
          ),
        ]
      : []),
  ];
}
