/** The messages between a model and its tools, and the questions that only the operator can answer. All plain JSON. */

/**
 * `none`: the tool only reads. `idempotent`: running the call twice has the effect of running it once. `writes`: anything else.
 */
export type Effects = 'none' | 'idempotent' | 'writes';

/** What the operator is shown before a call is allowed. */
export interface Preview {
  /** Shown below the question: for a file a unified diff, at most some thousand characters. */
  readonly text: string;
  /** Fingerprint of the target as it was shown. The tool refuses to act on another one, and the operator is asked again. */
  readonly base: string;
  /** Name of the artifact with the whole text, where `text` had to be cut. */
  readonly artifact?: string;
  /** The arguments of the call have a secret, such as a password: progress is shown without them. */
  readonly secret?: true;
}

export interface ToolCall {
  readonly id: string;
  readonly tool: string;
  readonly args: unknown;
  readonly effects: Effects;
  /** Its effects depend on its arguments: with those of an operator it counts as one that writes. */
  readonly varies?: true;
  /** How its target was when the call was lost in the middle, for the question about that. */
  readonly seen?: string;
  /** What the call is about, such as a path. Left out where its tool does not say. */
  readonly target?: string;
  /** The operator must allow the call before it runs. */
  readonly gated?: boolean;
  /** Its tool looks at the call first, and may let it run although it is gated. Left out once the operator has allowed it. */
  readonly mayPass?: boolean;
  /** `ask_operator`: the call is a question to the operator, and the answer is the call's result. */
  readonly asks?: boolean;
  /** The operator has allowed the call with other arguments than those of the model. */
  readonly edited?: boolean;
  /** What the operator was shown when asked for approval; null where the tool has nothing to show. Left out until then. */
  readonly preview?: Preview | null;
  /** Set on entering `acting`. After a crash, a started call may or may not have run. */
  readonly started?: boolean;
}
export type Calls = readonly ToolCall[];

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** Tokens as counted by the backend; cost in US dollars. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsd: number;
  /** The part of `costUsd` that is an estimate: the worst case of calls whose bill never arrived. Left out where it is 0. */
  readonly estimatedUsd?: number | undefined;
}
export const noUsage: Usage = { inputTokens: 0, outputTokens: 0, costUsd: 0 };
export function addUsage(a: Usage, b: Usage): Usage {
  const estimatedUsd = (a.estimatedUsd ?? 0) + (b.estimatedUsd ?? 0);
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    costUsd: a.costUsd + b.costUsd,
    ...(estimatedUsd > 0 && { estimatedUsd }),
  };
}
/** Usage by backend name, so that the cost of each backend stays separate after a swap. */
export type UsageByBackend = Readonly<Record<string, Usage>>;
export const spend = (so: UsageByBackend, backend: string, usage: Usage): UsageByBackend => ({
  ...so,
  [backend]: addUsage((Object.hasOwn(so, backend) && so[backend]) || noUsage, usage),
});
export const mergeUsage = (a: UsageByBackend, b: UsageByBackend): UsageByBackend =>
  Object.entries(b).reduce((sum, [backend, usage]) => spend(sum, backend, usage), a);
export const totalUsage = (usage: UsageByBackend): Usage => Object.values(usage).reduce(addUsage, noUsage);

/** Fields of a model's reply that its server wants back unchanged, such as signed thoughts. No chart reads them. */
export interface Echo {
  readonly backend: string;
  readonly model: string;
  readonly message: Readonly<Record<string, unknown>>;
  readonly calls: readonly Readonly<Record<string, unknown>>[];
}

/** A picture that a call shows to the model. A conversation has it by reference only. */
export interface Picture {
  /** Name of the artifact. */
  readonly ref: string;
  /** MIME type. */
  readonly type: string;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

export type Message =
  | { readonly role: 'user'; readonly text: string }
  | {
      readonly role: 'assistant';
      readonly text: string;
      readonly calls?: Calls;
      readonly unfinished?: true;
      readonly echo?: Echo;
    }
  | { readonly role: 'tool'; readonly call: string; readonly text: string; readonly images?: readonly Picture[] };

export type QuestionKind = 'asked' | 'approval' | 'in-doubt' | 'budget' | 'stuck';
export interface Question {
  /** Unique within the task: `q1`, `q2`, … An answer names it. */
  readonly id: string;
  readonly kind: QuestionKind;
  readonly text: string;
  readonly choices?: readonly string[];
  /** The call that an approval is about. `args` is left out where it is long. */
  readonly call?: { readonly tool: string; readonly args?: unknown };
}

export type Outcome = { readonly kind: 'completed' } | { readonly kind: 'cancelled' } | ({ readonly kind: 'failed' } & Failure);

/** True for a started call without a result whose tool has lasting effects. */
export const mayHaveRun = (call: ToolCall): boolean => call.started === true && call.effects !== 'none';

/** The chat protocol requires a result for every requested call, even one that did not run. All of these get the same text. */
export const answered = (calls: Calls, text: string, images: readonly Picture[] = []): Message[] =>
  calls.map((call) => ({ role: 'tool', call: call.id, text, ...(images.length > 0 && { images }) }));

/** Results for abandoned calls. Each result says how far its call got. */
export const givenUp = (calls: Calls, why: string): Message[] =>
  calls.flatMap((call) => {
    if (mayHaveRun(call)) return answered([call], `may have run: ${why} before it returned`);
    return answered([call], `${call.started ? 'stopped' : 'not run'}: ${why}`);
  });

/** True for the text of a call that did not run or was given up before it returned. */
export const isGivenUp = (text: string): boolean => /^(may have run|stopped|not run): /.test(text);

/** A model's whole reply, as a message. */
export const reply = (text: string, calls: Calls, echo: Echo | undefined): Message => ({
  role: 'assistant',
  text,
  ...(calls.length > 0 && { calls }),
  ...(echo && { echo }),
});

/** The received part of a reply that was cut off, as a message. */
export const unfinished = (partial: string): Message[] =>
  partial === '' ? [] : [{ role: 'assistant', text: partial, unfinished: true }];

/** True if the model requests exactly the calls of its last complete reply. */
export const repeatsItself = (messages: readonly Message[], calls: Calls): boolean => {
  const last = messages.findLast((message) => message.role === 'assistant' && !message.unfinished);
  const asked = (these: Calls) => JSON.stringify(these.map(({ tool, args }) => [tool, args]));
  return calls.length > 0 && last?.role === 'assistant' && asked(last.calls ?? []) === asked(calls);
};

const choicesOf: Partial<Record<QuestionKind, readonly string[]>> = {
  approval: ['approve', 'deny'],
  'in-doubt': ['it ran', 'run it again', 'stop'],
  budget: ['stop'],
  stuck: ['try again', 'stop'],
};
/**
 * @param call the call that the question is about.
 * @param why the reason for a question that is not about a call.
 */
export function questionAbout(id: string, kind: QuestionKind, call: ToolCall | undefined, why: string): Question {
  const choices = choicesOf[kind];
  if (kind === 'asked') return { id, kind, ...wordsOf(call?.args) };
  if (kind === 'approval') return { id, kind, text: `May it run ${shownTo(call)}`, choices: choices!, ...callIn(call) };
  if (kind === 'in-doubt') {
    const seen = call?.seen ? `\n${call.seen}` : '';
    return { id, kind, text: `It may have run ${inWords(call)} already. Did it?${seen}`, choices: choices! };
  }
  return { id, kind, text: why, choices: choices! };
}
/** Longest arguments, as JSON in characters, that a question carries so that the operator can edit them. */
const maxArgs = 32_768;
const callIn = (call: ToolCall | undefined): Pick<Question, 'call'> =>
  call ? { call: { tool: call.tool, ...(isShort(call.args) && { args: call.args }) } } : {};
const isShort = (args: unknown): boolean => (JSON.stringify(args)?.length ?? 0) <= maxArgs;

/** With a preview, the operator reads what the call would change instead of its arguments. */
const shownTo = (call: ToolCall | undefined) =>
  call?.preview ? `${call.tool}${call.target ? ` on ${call.target}` : ''}?\n${call.preview.text}` : `${inWords(call)}?`;
const inWords = (call: ToolCall | undefined) => `${call?.tool} ${call && argsShown(call)}`;
/** The arguments of a call as its progress is shown: those with a secret only by what the call is about. */
export const argsShown = ({ args, target, preview }: Pick<ToolCall, 'args' | 'target' | 'preview'>): string =>
  preview?.secret ? `${target ?? ''} ••••••`.trim() : (JSON.stringify(args) ?? '');
/** `ask_operator` takes `{ question, choices? }`. Other arguments are shown to the operator as JSON. */
function wordsOf(args: unknown): Pick<Question, 'text' | 'choices'> {
  if (typeof args !== 'object' || args === null || !('question' in args) || typeof args.question !== 'string')
    return { text: JSON.stringify(args) ?? '' };
  const offered = 'choices' in args && Array.isArray(args.choices) ? args.choices.filter((c) => typeof c === 'string') : [];
  return { text: args.question, ...(offered.length > 0 && { choices: offered }) };
}
