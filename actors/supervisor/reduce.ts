/** Turns the results of sub-tasks into one answer: by the orchestrator, by a named backend, or by code alone. */
import type { Result } from '../../bus/messages.ts';
import { noUsage, type Usage } from '../../machines/conversation.ts';
import { all, type PlainReducer, type PlanNode } from '../../machines/plan.ts';
import type { ReduceInput, SupervisorEvent } from '../../machines/supervisor-context.ts';
import type { ModelRequest } from '../../roster/conversation.ts';
import { clipped } from '../host/clipped.ts';
import { effect } from '../host/effect.ts';
import { failureOf } from '../host/failure-of.ts';
import { Meter, metered } from '../host/meter.ts';
import type { EffectHost } from '../host/role.ts';
import { wholeReply } from '../host/whole-reply.ts';
import type { PlanOptions } from './decompose.ts';
import { orchestrator } from './orchestrator.ts';

export interface NodeResult {
  readonly node: PlanNode;
  /** Null if the sub-task has no result. */
  readonly result: Result | null;
}
export interface ReduceOptions extends PlanOptions {
  /** Reads the results of these plan nodes from the bus. */
  readonly outcomes: (nodes: readonly PlanNode[]) => Promise<NodeResult[]>;
}

export const reduce = (host: EffectHost, options: ReduceOptions) =>
  effect<ReduceInput, SupervisorEvent>(
    async (input, say, signal) => {
      const by = input.reduce!;
      if ('instruction' in by) await host.committed(signal);
      const outcomes = await options.outcomes(all(input.nodes));
      if (!('instruction' in by)) return say(reduced(plainly[by.by](outcomes), noUsage, by.by));
      if (outcomes.every(({ result }) => result?.outcome !== 'completed'))
        return say(reduced(`No sub-task was completed.\n\n${sources(outcomes)}`, noUsage, 'none'));
      const { backend } = orchestrator(options.backends, by.by === 'backend' ? by.backend : input.backend, host.spec.avoid);
      host.onBackend(backend);
      const context = options.backends.menu().find(({ name }) => name === backend)?.context ?? 32_000;
      const request: ModelRequest = { messages: prompt(input, by.instruction, outcomes, context), toolChoice: 'none' };
      const meter = new Meter(host, backend, say, signal);
      const live = (text: string) => host.live({ type: 'token', step: input.step, text });
      const { text, usage } = await metered(meter, () =>
        wholeReply(backend, options.backends.call(backend, request, signal, meter), live),
      );
      say(reduced(`${text.trim()}\n\n${sources(outcomes)}`, meter.bill(usage), backend));
    },
    (cause) => ({ type: 'REDUCE_FAILED', error: failureOf(cause) }),
  );

const reduced = (answer: string, usage: Usage, backend: string): SupervisorEvent => ({ type: 'REDUCED', answer, usage, backend });

const text = ({ node, result }: NodeResult): string =>
  result?.outcome === 'completed'
    ? (result.output ?? '')
    : `(no result: ${result?.failure?.message ?? node.failure?.message ?? node.status})`;

function prompt(input: ReduceInput, instruction: string, outcomes: readonly NodeResult[], contextTokens: number) {
  // The results get two thirds of the context, at three characters for each token. The rest is for the answer.
  const share = Math.max(400, Math.floor((contextTokens * 2) / outcomes.length));
  const results = outcomes.map((outcome) => `## ${outcome.node.key}\n${clipped(text(outcome), share)}`).join('\n\n');
  return [
    {
      role: 'system' as const,
      text: 'You put the results of sub-tasks together into one answer to the goal. Use only what the results say. Answer the goal itself; do not describe how the results came about. If a result is missing, say so.',
    },
    {
      role: 'user' as const,
      text: [
        `Results:\n\n${results}`,
        ...(input.draft ? [`An earlier answer, to be improved:\n${clipped(input.draft, share)}`] : []),
        `Goal: ${input.instruction}`,
        ...input.corrections.map((correction) => `The operator added: ${correction}`),
        instruction,
      ].join('\n\n'),
    },
  ];
}

/** Lists the sources of an answer. Code and not the model does it, so that the list is true. */
export function sources(outcomes: readonly NodeResult[]): string {
  const used = outcomes
    .filter(({ result }) => result?.outcome === 'completed')
    .map(({ node, result }) => `${node.key} (${result!.id})`);
  const failed = outcomes
    .filter(({ result, node }) => result?.outcome !== 'completed' && node.status !== 'dropped')
    .map(({ node, result }) => `${node.key} (${result?.failure?.code ?? node.failure?.code ?? result?.outcome ?? node.status})`);
  return [
    ...(used.length ? [`Sources: ${used.join(', ')}`] : []),
    ...(failed.length ? [`Failed: ${failed.join(', ')}`] : []),
  ].join('\n');
}

const plainly: Record<PlainReducer, (outcomes: readonly NodeResult[]) => string> = {
  concat: (outcomes) =>
    `${outcomes.map((outcome) => `## ${outcome.node.key}\n${text(outcome)}`).join('\n\n')}\n\n${sources(outcomes)}`,
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
      const key = result.output.trim().toLowerCase().replaceAll(/\s+/g, ' ');
      votes.set(key, { answer: result.output.trim(), count: (votes.get(key)?.count ?? 0) + 1 });
    }
    const best = [...votes.values()].toSorted((a, b) => b.count - a.count)[0];
    return best
      ? `${best.answer}\n\n${best.count} of ${outcomes.length} votes\n${sources(outcomes)}`
      : `No votes.\n\n${sources(outcomes)}`;
  },
};
