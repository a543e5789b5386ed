/** Builds the prompt of the primary agent: its role, the present tasks, and the part of the conversation that fits. */

import type { TaskSummary } from '../../bus/state/tree.ts';
import type { Message } from '../../machines/conversation.ts';
import { lastTurns } from '../../machines/turns.ts';
import { fitted } from '../../platform/cut.ts';
import type { ChatMessage, ModelRequest } from '../../roster/conversation.ts';
import type { MenuEntry } from '../../roster/menu.ts';
import { type Tool, toolSpec } from '../tools/tool.ts';
import { allowedFor } from './narrow.ts';
import { taskLines } from './task-descriptions.ts';

export interface PromptOptions {
  readonly messages: readonly Message[];
  /** True: the model must answer now, without tools. */
  readonly isLast: boolean;
  /** Null if the bus does not answer. */
  readonly tasks: readonly TaskSummary[] | null;
  readonly tools: readonly Tool[];
  readonly backend: Pick<MenuEntry, 'kind' | 'context'>;
  readonly menu: readonly MenuEntry[];
}

const who = `You are the primary agent of Coxswain. The operator talks to you. Sub-agents do the work; you give it to them and steer them.
- Greetings, thanks and general questions: answer yourself, in one or two sentences.
- Work of any kind (read, write, search, compare, summarize, plan; anything about files): dispatch_task, with the operator's own words. You can't see files yourself. Never make up a result.
- How things are going: check_task_status.
- A word to a running task, or a correction of it ("tell k3xq.1 …"): steer_task. Don't dispatch it again.
- A task has asked a question and the operator's word answers it: answer_question, not steer_task.
- Stop a task: cancel_task. Let it wait: pause_task, resume_task. What a task found: get_task_result.
- A tool takes the id of a task or the operator's own words for it. Several acts in one message: one call for each.
- What the operator wants you to remember: remember. What you were told earlier: recall.`;
const conclude = 'Use no more tools. Say where things stand, and what is left to do.';

/** Characters for each token. The estimate is low, because ids and JSON take many tokens. */
const charsPerToken = 3;
/** Context in tokens of a backend for which the roster gives none. */
const contextTokens = 32_000;
/**
 * Longest conversation for an embedded model, in characters. It reads about 100 tokens a second, so a longer one makes every
 * reply slow.
 */
const smallTalkChars = 4_000;
const taskLinesShown = 12;

export function promptFor({ messages, isLast, tasks, tools, backend, menu }: PromptOptions): ModelRequest {
  const list = tasks === null ? 'unknown, the bus does not answer' : (taskLines(tasks, taskLinesShown) ?? 'none');
  const now = `Tasks now:\n${list}`;
  if (backend.kind === 'embedded')
    return smallPrompt(messages, isLast, `${now}${questionLines(tasks ?? [])}`, tasks ?? [], tools, menu);
  const specs = isLast ? [] : tools.map(toolSpec);
  const system = [who, ...(isLast ? [conclude] : []), now].join('\n\n');
  const leftChars = ((backend.context ?? contextTokens) * charsPerToken * 3) / 4 - system.length - JSON.stringify(specs).length;
  return {
    messages: [{ role: 'system', text: system }, ...fitting(messages, Math.max(1_000, leftChars))],
    ...(specs.length > 0 && { tools: specs }),
  };
}

/**
 * A small model learns from examples rather than from rules. A prefix that it has read before costs no time, so the part that
 * changes, the list of tasks, comes last, with the operator's message. After a tool has answered, the model needs no other tool.
 */
function smallPrompt(
  messages: readonly Message[],
  isLast: boolean,
  now: string,
  tasks: readonly TaskSummary[],
  tools: readonly Tool[],
  menu: readonly MenuEntry[],
): ModelRequest {
  const unsuited = new Set(['delegate_many', 'raise_budget', ...(menu.length > 1 ? [] : ['swap_model'])]);
  const specs = tools.filter(({ name }) => !unsuited.has(name)).map(toolSpec);
  const talk = fitting(messages, smallTalkChars);
  const newest = talk.findLastIndex(({ role }) => role === 'user');
  // Once a tool has returned, the model may answer from its result.
  const isNew = newest >= 0 && newest === talk.length - 1;
  const choice = isNew
    ? allowedFor(
        talk[newest]!.text,
        tasks,
        specs.map(({ name }) => name),
      )
    : null;
  return {
    messages: [
      { role: 'system', text: who },
      ...examples,
      ...talk.map((message, at) => (at === newest ? { ...message, text: `${now}\n\n${message.text}` } : message)),
      ...(isLast ? [{ role: 'user' as const, text: conclude }] : []),
    ],
    tools: specs,
    ...(isLast ? { toolChoice: 'none' as const } : choice && { toolChoice: choice }),
  };
}

/** Open questions, placed right before the operator's message, which may be the answer. */
const questionLines = (tasks: readonly TaskSummary[]): string =>
  tasks
    .filter(({ question }) => question)
    .slice(0, 3)
    .map(({ id, question }) => asksLine(id, question!.id, fitted(question!.text, 200)))
    .join('');
const asksLine = (id: string, question: string, text: string) => `\n\n${id} asks the operator, ${question}: ${text}`;

/** The newest turns that fit. No reply and no tool result takes more than a third of `maxChars`. */
function fitting(messages: readonly Message[], maxChars: number): readonly Message[] {
  const most = Math.floor(maxChars / 3);
  const clipped = messages.map((message) =>
    message.role !== 'user' && message.text.length > most ? { ...message, text: fitted(message.text, most) } : message,
  );
  return lastTurns(clipped, maxChars);
}

const said = (text: string, reply: string): ChatMessage[] => [
  { role: 'user', text },
  { role: 'assistant', text: reply },
];
const done = (text: string, tool: string, args: object, result: string): ChatMessage[] => [
  { role: 'user', text },
  { role: 'assistant', text: '', calls: [{ id: `example-${tool}`, tool, args }] },
  { role: 'tool', call: `example-${tool}`, text: result },
  { role: 'assistant', text: result },
];
const noTasks = 'Tasks now:\nnone\n\n';
const oneTask = 'Tasks now:\n- zz11.0 (supervisor) is being planned: Look into notes.txt and tell me who wrote it\n\n';
const waiting = 'Tasks now:\n- zz11.0 (supervisor) waits for the operator: Look into notes.txt and tell me who wrote it';
const asking = (question: string, text: string) => `${waiting}${asksLine('zz11.0', question, text)}\n\n`;
const answering = (question: string, asked: string, text: string) =>
  done(`${asking(question, asked)}${text}`, 'answer_question', { id: 'zz11.0', question, text }, 'zz11.0 has taken it up.');
const examples: readonly ChatMessage[] = [
  ...said(`${noTasks}Hello!`, 'Hello! What shall be done?'),
  ...done(
    `${noTasks}look into notes.txt and tell me who wrote it`,
    'dispatch_task',
    { instruction: 'Look into notes.txt and tell me who wrote it' },
    'zz11.0 is on it.',
  ),
  ...said(`${oneTask}How many legs has a spider?`, 'A spider has eight legs.'),
  ...done(`${oneTask}what are they doing?`, 'check_task_status', {}, 'zz11.0 is being planned.'),
  ...done(
    `${oneTask}tell zz11.0 to keep it short`,
    'steer_task',
    { id: 'zz11.0', text: 'Keep it short' },
    'zz11.0 has taken it up.',
  ),
  ...answering('q1', 'Which of the two names?', 'the first one'),
  ...answering('q2', 'Shall I go on?', 'yes, please'),
  ...said(`${oneTask}thank you`, "You're welcome."),
];
