/** The reply of another backend to the call of a step, beside the reply that the task has got. */
import type { JournalStep } from '../../bus/journal/journal-messages.ts';
import type { Usage } from '../../bus/messages.ts';
import { usageText } from './figures.ts';
import type { Paint } from './paint.ts';
import { oneLine, printable } from './printable.ts';

type Reply = NonNullable<JournalStep['reply']>;
export interface WhatIf {
  readonly task: string;
  readonly step: number;
  readonly backend: string;
  readonly reply: Reply;
  readonly usage: Usage;
  /** The backend, reply and usage of the step as the task really made it. */
  readonly was: { readonly backend: string | null; readonly reply: Reply | null; readonly usage: Usage };
}

export function whatIfLines({ task, step, backend, reply, usage, was }: WhatIf, paint: Paint): string[] {
  return [
    paint.bold(
      `${oneLine(task, 80)}, step ${step}, as it was on ${oneLine(was.backend ?? 'no backend', 60)} ${used(was.usage)}`.trimEnd(),
    ),
    ...(was.reply ? replyLines(was.reply) : ['  (no reply)']),
    paint.bold(`If it were on ${oneLine(backend, 60)} ${used(usage)}`.trimEnd()),
    ...replyLines(reply),
    paint.dim('Nothing was changed: the task has its own reply, and no tool was run.'),
  ];
}

const used = (usage: Usage): string => {
  const text = usageText(usage);
  return text === '' ? '' : `(${text})`;
};

const replyLines = ({ text, calls = [] }: Reply): string[] => [
  ...(text === ''
    ? []
    : printable(text)
        .split('\n')
        .map((row) => `  │ ${row}`)),
  ...calls.map(({ tool, args }) => `  → ${oneLine(tool, 60)} ${oneLine(JSON.stringify(args) ?? '', 400)}`),
];
