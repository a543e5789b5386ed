/** The steering verbs: the arguments of each, and the message they become. The command line and the REPL share this table. */

import { maxSteerChars, type SteeringInput, type SteeringType, type Urgency } from '../bus/messages.ts';
import { fitted } from '../platform/cut.ts';
import { usageError } from './errors.ts';

/** The option for each urgency, on the command line and at the prompt. */
export const urgencyOptions: Readonly<Record<Urgency, string>> = { now: '--now', 'next-step': '--next', after: '--after' };

export interface SteerOptions {
  readonly urgency?: Urgency;
  readonly expectStep?: number;
}

export interface Verb {
  /** The arguments after the task id, in commander's notation. */
  readonly args: string;
  readonly summary: string;
  readonly message: (words: readonly string[], options: SteerOptions) => SteeringInput;
}

const text = (words: readonly string[], what: string): string => {
  const joined = words.join(' ').trim();
  if (joined === '') throw usageError(`The ${what} is empty.`, 'Write it after the task id.', 'empty-text');
  if (joined.length > maxSteerChars)
    throw usageError(
      `The ${what} is longer than ${maxSteerChars.toLocaleString('en')} characters.`,
      'Put the material into a file in the workspace and name that file.',
      'too-long',
    );
  return joined;
};

const one = (words: readonly string[], what: string): string => {
  if (words[0] === undefined || words[0] === '')
    throw usageError(`The ${what} is missing.`, `Name the ${what} after the task id.`);
  if (words.length > 1) throw usageError(`More than one ${what}: ${words.join(' ')}.`, `Name one ${what}.`);
  return words[0];
};

const alone = (words: readonly string[], message: SteeringInput): SteeringInput => {
  if (words.length === 0) return message;
  throw usageError(`Unexpected words: "${words.join(' ')}".`, 'To tell the task something, use steer.');
};

const number = (word: string | undefined, what: string): number => {
  const value = Number(word);
  if (word === undefined || word === '' || !Number.isFinite(value) || value < 0)
    throw usageError(`"${word ?? ''}" is not a valid ${what}.`, 'As in: budget k3xq.4 10 0.50');
  return value;
};

const expecting = ({ expectStep }: SteerOptions) => (expectStep === undefined ? {} : { expect: { step: expectStep } });

export const verbs = {
  steer: {
    args: '<text...>',
    summary: 'correct a running task',
    message: (words, options) => ({
      type: 'steer',
      text: text(words, 'correction'),
      urgency: options.urgency ?? 'now',
      ...expecting(options),
    }),
  },
  answer: {
    args: '<question> [text...]',
    summary: 'answer an open question, named by its task and its id or by its number in the inbox',
    message: ([question = '', ...words]) => {
      if (question === '') throw usageError('The question is missing.', 'Name it by its id, as in: answer k3xq.4 q1 yes.');
      return { type: 'answer', question, text: text(words, 'answer') };
    },
  },
  cancel: {
    args: '[reason...]',
    summary: 'end a task and its sub-tasks; their findings are kept',
    message: (words) => ({ type: 'cancel', ...(words.length > 0 ? { reason: fitted(words.join(' '), 1024) } : {}) }),
  },
  redirect: {
    args: '<instruction...>',
    summary: 'give a task a new instruction; its findings are kept',
    message: (words, options) => ({ type: 'redirect', text: text(words, 'instruction'), ...expecting(options) }),
  },
  swap: {
    args: '<backend>',
    summary: 'switch a task to another backend at its next model call, or at once',
    message: (words, { urgency }) => ({
      ...{ type: 'swap', backend: one(words, 'backend') },
      ...(urgency === 'now' && { urgency }),
    }),
  },
  pause: {
    args: '',
    summary: 'pause a task, or a goal with its running sub-tasks, until it is resumed',
    message: (words) => alone(words, { type: 'pause' }),
  },
  resume: {
    args: '',
    summary: 'resume a paused task',
    message: (words) => alone(words, { type: 'resume' }),
  },
  allow: {
    args: '<tool>',
    summary: 'allow all further calls of a tool, by a task or by all tasks of a goal',
    message: (words) => ({ type: 'allow', tool: one(words, 'tool') }),
  },
  budget: {
    args: '<steps> [usd]',
    summary: 'give a task more steps and, optionally, more US dollars',
    message: ([steps, usd, ...rest]) => {
      const more = {
        steps: number(steps, 'number of steps'),
        costUsd: usd === undefined ? undefined : number(usd, 'amount of US dollars'),
      };
      if (more.steps === 0 && !more.costUsd)
        throw usageError('The task would get no steps and no money.', 'As in: budget k3xq.4 10 0.50');
      return alone(rest, {
        type: 'budget',
        ...(more.steps > 0 ? { steps: more.steps } : {}),
        ...(more.costUsd === undefined ? {} : { costUsd: more.costUsd }),
      });
    },
  },
  add: {
    args: '<new-key> <type> <instruction...>',
    summary: 'add a sub-task to the plan of a goal; key:a,b makes it wait for a and b',
    message: ([key, type, ...words]) => {
      const [name, after = ''] = one(key === undefined ? [] : [key], 'key').split(':');
      return {
        type: 'add',
        task: {
          key: name!,
          type: one(type === undefined ? [] : [type], 'type'),
          instruction: text(words, 'instruction'),
          after: after.split(',').filter(Boolean),
        },
      };
    },
  },
  drop: {
    args: '<key>',
    summary: 'remove a sub-task, named by its key or its id, from the plan of a goal',
    message: (words) => ({ type: 'drop', key: one(words, 'key') }),
  },
  rerun: {
    args: '<key> [instruction...]',
    summary: 'run a sub-task of a goal again, by its key or id, with the sub-tasks that depend on it',
    message: ([key, ...words]) => ({
      type: 'rerun',
      key: one(key === undefined ? [] : [key], 'key'),
      ...(words.length > 0 ? { instruction: text(words, 'instruction') } : {}),
    }),
  },
  retarget: {
    args: '<key> <backend>',
    summary: 'run a sub-task of a goal, by its key or id, again on another backend',
    message: ([key, ...words]) => ({
      type: 'rerun',
      key: one(key === undefined ? [] : [key], 'key'),
      backend: one(words, 'backend'),
    }),
  },
} as const satisfies Record<SteeringType, Verb> & Record<string, Verb>;
export type VerbName = keyof typeof verbs;
