/** A step of a replay, for people: why it was made, what its prompt has that the one before had not, and what came back. */
import type { JournalPrompt, PromptMessage } from '../../bus/journal/journal-messages.ts';
import { fitted } from '../../platform/cut.ts';
import type { ReplayStep } from '../replay-steps.ts';
import { usageText } from './figures.ts';
import type { Paint } from './paint.ts';
import { oneLine, printable } from './printable.ts';

/** Longest text of one message, in characters, unless all of it is asked for. */
const maxChars = 1_500;
const maxCallChars = 300;

export interface ReplayDetail {
  /** Whether texts are shown uncut. */
  readonly full: boolean;
}

export function stepLines(step: ReplayStep, paint: Paint, { full }: ReplayDetail): string[] {
  const { prompt, reply, why } = step;
  const text = (of: string) => quoted(full ? of : fitted(of, maxChars));
  return [
    headLine(step, paint),
    ...why.flatMap(({ kind, steer, task, text: said }, i) => {
      const who = [steer, task]
        .filter(Boolean)
        .map((id) => oneLine(id!, 80))
        .join(' ');
      return [`  ${label('why', i === 0, paint)} ${paint.cyan(kind)}${who && ` ${who}`}: ${oneLine(said, full ? 2_000 : 200)}`];
    }),
    ...(prompt ? promptLines(prompt, paint, text) : [`  ${label('prompt', true, paint)} ${paint.dim('none is known')}`]),
    ...(reply
      ? [
          `  ${label('reply', true, paint)} ${step.outcome === 'replied' ? '' : paint.yellow('unfinished')}`.trimEnd(),
          ...(reply.text === '' ? [] : text(reply.text)),
          ...(reply.calls ?? []).map((call) => callLine(call)),
        ]
      : []),
    ...(step.note === undefined ? [] : [`  ${label('note', true, paint)} ${paint.dim(oneLine(step.note, 400))}`]),
    endLine(step, paint),
  ];
}

const label = (word: string, isShown: boolean, paint: Paint): string => paint.bold((isShown ? word : '').padEnd(6));

function headLine({ task, key, step, n, of, type, backend, state, at, node }: ReplayStep, paint: Paint): string {
  const name = key === null ? oneLine(task, 80) : `${oneLine(task, 80)} ${oneLine(key, 60)}`;
  const words = [oneLine(type, 40), state, ...(backend === null ? [] : [`on ${oneLine(backend, 60)}`])].join(' ');
  return `${paint.bold(`${name}, step ${step}`)} ${paint.dim(`(${n} of ${of}) ${words}, ${at.slice(11, 19)} on ${oneLine(node, 60)}`)}`;
}

const state = { 'as-sent': 'as it was sent', rebuilt: 'built again', conversation: 'the conversation of the task' } as const;

function promptLines(prompt: JournalPrompt, paint: Paint, text: (of: string) => string[]): string[] {
  const { is, changed = [], count, same, messages, tools } = prompt;
  const since = changed.length > 0 ? paint.yellow(`; changed since: ${changed.join(', ')}`) : '';
  const size = same > 0 ? `${count} messages, the first ${same} as before` : `${count} ${count === 1 ? 'message' : 'messages'}`;
  return [
    `  ${label('prompt', true, paint)} ${state[is]}${since}: ${size}`,
    ...(tools ? [`    ${paint.dim('tools')} ${oneLine(tools.join(', '), 400)}`] : []),
    ...messages.flatMap((message) => messageLines(message, paint, text)),
  ];
}

const messageLines = (
  { role, text: said, calls, call, images, unfinished }: PromptMessage,
  paint: Paint,
  text: (of: string) => string[],
) => [
  `    ${paint.dim(role)}${call === undefined ? '' : ` ${oneLine(call, 60)}`}${unfinished ? paint.yellow(' unfinished') : ''}`,
  ...(said === '' ? [] : text(said)),
  ...(calls ?? []).map((each) => callLine(each)),
  ...(images ?? []).map((ref) => `    [picture ${oneLine(ref, 200)}]`),
];

const callLine = ({ id, tool, args }: { readonly id: string; readonly tool: string; readonly args?: unknown }): string =>
  `    → ${oneLine(id, 60)} ${oneLine(tool, 60)} ${oneLine(JSON.stringify(args) ?? '', maxCallChars)}`;

/** No line of the text looks like one of Coxswain. */
const quoted = (text: string): string[] =>
  printable(text)
    .split('\n')
    .map((line) => `    │ ${line}`);

function endLine({ outcome, usage, at, until }: ReplayStep, paint: Paint): string {
  const seconds = ((Date.parse(until) - Date.parse(at)) / 1_000).toFixed(1);
  const words = outcome === undefined ? 'under way' : outcome === 'replied' ? 'replied' : paint.yellow(outcome);
  return `  ${label('end', true, paint)} ${[words, `${seconds} s`, usageText(usage)].filter(Boolean).join(', ')}`;
}
