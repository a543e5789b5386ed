/** Turns the results of sub-tasks into one answer: by the orchestrator, by a named backend, or by code alone. */

import { isShortened } from '../../bus/artifacts/long-text.ts';
import { cutMarkIn } from '../../bus/cut-mark.ts';
import type { Result } from '../../bus/messages.ts';
import { noUsage, type Usage } from '../../machines/conversation.ts';
import { effectsLine, effectWords } from '../../machines/effects.ts';
import { all, type PlainReducer, type PlanNode } from '../../machines/plan.ts';
import type { ReduceInput, SupervisorEvent } from '../../machines/supervisor-context.ts';
import { CoxError } from '../../platform/errors.ts';
import type { ModelRequest } from '../../roster/conversation.ts';
import { estimateTokens } from '../../roster/tokens.ts';
import { clippedToTokens } from '../host/clipped.ts';
import { effect } from '../host/effect.ts';
import { failureOf } from '../host/failure-of.ts';
import { Meter, metered } from '../host/meter.ts';
import { digestOf } from '../host/prompt-digest.ts';
import type { EffectHost } from '../host/role.ts';
import { wholeReply } from '../host/whole-reply.ts';
import { inLine } from '../tools/files/paths.ts';
import { namesIn } from './names-in.ts';
import { orchestrator } from './orchestrator.ts';
import type { PlanOptions } from './plan-request.ts';

export interface NodeResult {
  readonly node: PlanNode;
  /** Null if the sub-task has no result. */
  readonly result: Result | null;
}
export interface ReduceOptions extends PlanOptions {
  /** Reads the results of these plan nodes from the bus. */
  readonly outcomes: (nodes: readonly PlanNode[]) => Promise<NodeResult[]>;
  /** Reads the whole output of a result of which the record has the beginning. */
  readonly whole: (result: Result) => Promise<string | null>;
  /** An answer as the chart keeps it: a long one is shortened, and its whole is an artifact. */
  readonly shortened: (text: string, signal: AbortSignal) => Promise<string>;
}

export const reduce = (host: EffectHost, options: ReduceOptions) =>
  effect<ReduceInput, SupervisorEvent>(
    async (input, say, signal) => {
      const by = input.reduce!;
      if ('instruction' in by) await host.committed(signal);
      const outcomes = await options.outcomes(all(input.nodes));
      const short = (text: string) => options.shortened(text, signal);
      if (!('instruction' in by)) {
        const whole = repeatsTexts.has(by.by) ? await withWholes(outcomes, options) : outcomes;
        return say(reduced(await short(plainly[by.by](whole)), noUsage, by.by));
      }
      if (outcomes.every(({ result }) => result?.outcome !== 'completed'))
        return say(reduced(withSources('No sub-task was completed.', outcomes), noUsage, 'none'));
      const { backend } = orchestrator(options.backends, by.by === 'backend' ? by.backend : input.backend, host.spec.avoid);
      host.onBackend(backend);
      const context = options.backends.menu().find(({ name }) => name === backend)?.context ?? unknownContext;
      const request = reduceRequest(input, by.instruction, outcomes, context);
      host.sends(input.step, digestOf(request));
      const meter = new Meter(host, backend, say, signal);
      const live = (text: string) => host.live({ type: 'token', step: input.step, text });
      const { text, usage } = await metered(meter, () =>
        wholeReply(backend, options.backends.call(backend, request, signal, meter), live),
      );
      say(reduced(await short(withSources(text.trim(), outcomes)), meter.bill(usage), backend));
    },
    (cause) => ({ type: 'REDUCE_FAILED', error: failureOf(cause) }),
  );

/** A replay builds the request by the same code. */
export const reduceRequest = (
  input: Omit<ReduceInput, 'backend' | 'nodes' | 'reduce'>,
  how: string,
  outcomes: readonly NodeResult[],
  contextTokens: number,
): ModelRequest => ({ messages: prompt(input, how, outcomes, contextTokens), toolChoice: 'none' });
/** Tokens of a backend that does not tell its context. */
export const unknownContext = 32_000;

/** Reducers whose answer has the texts of the results in it. */
const repeatsTexts: ReadonlySet<PlainReducer> = new Set(['concat', 'json']);
/** Most of all texts together that a reducer puts into one answer, in bytes. The results beyond it stay shortened. */
const mostRepeatedBytes = 32 * 2 ** 20;

/** A whole that is gone or damaged leaves the beginning, whose mark says how much is missing. */
async function withWholes(outcomes: readonly NodeResult[], { whole }: Pick<ReduceOptions, 'whole'>): Promise<NodeResult[]> {
  let left = mostRepeatedBytes;
  const found: NodeResult[] = [];
  for (const { node, result } of outcomes) {
    const fits = result !== null && isShortened(result) && result.whole!.bytes <= left;
    const output = fits ? await whole(result).catch(unlessLost) : null;
    left -= output === null ? Buffer.byteLength(result?.output ?? '') : result!.whole!.bytes;
    found.push(output === null ? { node, result } : { node, result: { ...result!, output } });
  }
  return found;
}

function unlessLost(cause: unknown): null {
  if (cause instanceof CoxError && ['artifact-gone', 'bad-artifact'].includes(cause.code)) return null;
  throw cause;
}

const reduced = (answer: string, usage: Usage, backend: string): SupervisorEvent => ({ type: 'REDUCED', answer, usage, backend });

/** The effects of a sub-task according to its log, so that no model has to believe the words of another one. */
const deeds = ({ effects = [], effectsLeftOut }: Result): string =>
  effects.length > 0 ? `\n[done, according to the log: ${effectsLine(effects, effectsLeftOut)}]` : '';

const plainText = ({ node, result }: NodeResult): string =>
  result?.outcome === 'completed'
    ? (result.output ?? '')
    : `(no result: ${result?.failure?.message ?? node.failure?.message ?? node.status})`;

const text = (outcome: NodeResult): string => `${plainText(outcome)}${outcome.result ? deeds(outcome.result) : ''}`;

/** The reason why the text of a result was cut off, or null. */
const cutOf = ({ result }: NodeResult): string | null =>
  result?.outcome === 'completed' ? cutMarkIn(result.output ?? '') : null;
/** Stands in the heading, because a long text loses its end, where its own mark is. */
const incompleteness = (outcome: NodeResult): string => (cutOf(outcome) === null ? '' : ' (incomplete: it was cut off)');

/** A result of which less than this many tokens could be shown is only counted. */
const leastShown = 50;

function prompt(
  input: Omit<ReduceInput, 'backend' | 'nodes' | 'reduce'>,
  instruction: string,
  outcomes: readonly NodeResult[],
  contextTokens: number,
) {
  const corrections = clippedToTokens(input.corrections, contextTokens / 8);
  const [goal = '', how = ''] = clippedToTokens([input.instruction, instruction], contextTokens / 4);
  // The results may fill five eighths of the context, less the goal and its corrections, and at least a quarter. The rest is
  // for the answer.
  const fixed = [goal, how, ...corrections].reduce((sum, text) => sum + estimateTokens(text), 0);
  const room = Math.max(contextTokens / 4, (contextTokens * 5) / 8 - fixed);
  const shown = outcomes.slice(0, Math.max(1, Math.floor(room / leastShown)));
  const headings = shown.map((outcome) => `## ${outcome.node.key}${incompleteness(outcome)}\n`);
  const left = room - headings.reduce((sum, heading) => sum + estimateTokens(heading), 0);
  const given = shown.map(text);
  const refs = shown.map(({ result }) => (result?.whole ? `\n[the whole result is the artifact ${result.whole.ref}]` : ''));
  const forRefs = refs.reduce((sum, ref) => sum + estimateTokens(ref), 0);
  const texts = clippedToTokens([...given, input.draft ?? ''], left - forRefs);
  // A shortened result that is clipped again loses its mark.
  const results = headings.map((heading, i) => `${heading}${texts[i]}${texts[i] === given[i] ? '' : refs[i]}`);
  if (outcomes.length > shown.length) results.push(`[… ${outcomes.length - shown.length} more results do not fit here]`);
  return [
    {
      role: 'system' as const,
      text: 'You put the results of sub-tasks together into one answer to the goal. Use only what the results say. Answer the goal itself; do not describe how the results came about. If a result is missing or incomplete, say so.',
    },
    {
      role: 'user' as const,
      text: [
        `Results:\n\n${results.join('\n\n')}`,
        ...(input.draft ? [`An earlier answer, to be improved:\n${texts.at(-1)}`] : []),
        `Goal: ${goal}`,
        ...corrections.map((correction) => `The operator added: ${correction}`),
        how,
      ].join('\n\n'),
    },
  ];
}

/**
 * Lists what the sub-tasks really read and changed, below an answer. Code and not the model does it, so that the list is true. A
 * file or address that the answer names and nobody has read or written is marked.
 */
export function sources(outcomes: readonly NodeResult[], answer = '', listsDone = true): string {
  const read = outcomes.flatMap(({ result }) => (result?.sources ?? []).map((name) => ({ name, id: result!.id })));
  const done = outcomes.flatMap(({ result }) => (result?.effects ?? []).map((effect) => effect));
  const failed = outcomes
    .filter(({ result, node }) => result?.outcome !== 'completed' && node.status !== 'dropped')
    .map(({ node, result }) => `${node.key} (${result?.failure?.code ?? node.failure?.code ?? result?.outcome ?? node.status})`);
  const cut = outcomes.flatMap((outcome) => {
    const reason = cutOf(outcome);
    return reason === null ? [] : [`${outcome.node.key} (${reason})`];
  });
  const known = new Set([...read.map(({ name }) => name), ...done.map(({ target }) => target)]);
  const unread = namesIn(answer).filter((name) => !known.has(name) && !known.has(`./${name}`));
  return [
    ...(read.length > 0 ? [`Sources: ${listed(read.map(({ name, id }) => `${inLine(name)} (${id})`))}`] : []),
    ...(listsDone && done.length > 0 ? [`Done: ${listed(done.map(effectWords))}`] : []),
    ...(unread.length > 0 ? [`Named above, but read by no sub-task: ${listed(unread)}`] : []),
    ...(cut.length > 0 ? [`Incomplete, because the reply was cut off: ${listed(cut)}`] : []),
    ...(failed.length > 0 ? [`Failed: ${listed(failed)}`] : []),
  ].join('\n');
}

const mostListed = 50;
const listed = (words: readonly string[]): string =>
  words.length > mostListed ? `${words.slice(0, mostListed).join(', ')} and ${words.length - mostListed} more` : words.join(', ');

/** The answer with its sources; nothing is added where there is nothing to say. */
const withSources = (answer: string, outcomes: readonly NodeResult[]): string =>
  [answer, sources(outcomes, answer)].filter((part) => part !== '').join('\n\n');

const plainly: Record<PlainReducer, (outcomes: readonly NodeResult[]) => string> = {
  concat: (outcomes) =>
    withSources(
      // The only result needs no heading to be told apart.
      outcomes.length === 1
        ? plainText(outcomes[0]!)
        : outcomes.map((outcome) => `## ${outcome.node.key}\n${plainText(outcome)}`).join('\n\n'),
      outcomes,
    ),
  /** Lists the effects of all sub-tasks, in words that code has written. */
  effects: (outcomes) => {
    const done = outcomes.flatMap(({ result }) => result?.effects ?? []);
    const leftOut = outcomes.reduce((sum, { result }) => sum + (result?.effectsLeftOut ?? 0), 0);
    return [effectsLine(done, leftOut), sources(outcomes, '', false)].filter((part) => part !== '').join('\n\n');
  },
  json: (outcomes) =>
    JSON.stringify(
      Object.fromEntries(
        outcomes.map(({ node, result }) => [
          node.key,
          result?.outcome === 'completed'
            ? { output: result.output }
            : { failure: result?.failure ?? node.failure ?? { code: node.status } },
        ]),
      ),
    ),
  /** The answer that most sub-tasks gave; case and spaces do not count. Among equals the first one is taken. */
  vote: (outcomes) => {
    const votes = new Map<string, { answer: string; count: number }>();
    for (const { result } of outcomes) {
      if (result?.outcome !== 'completed' || result.output === null) continue;
      const key = result.whole?.sha256 ?? result.output.trim().toLowerCase().replaceAll(/\s+/g, ' ');
      votes.set(key, { answer: result.output.trim(), count: (votes.get(key)?.count ?? 0) + 1 });
    }
    const best = [...votes.values()].toSorted((a, b) => b.count - a.count)[0];
    return withSources(best ? `${best.answer}\n\n${best.count} of ${outcomes.length} votes` : 'No votes.', outcomes);
  },
};
