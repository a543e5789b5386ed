/**
 * Turns a goal into a plan: the plan that came with the task, or one by the orchestrating model. A large model writes a DAG. A
 * small embedded model fills in a map (map-plan.ts).
 */
import { z } from 'zod';
import { PlanTask } from '../../bus/messages.ts';
import { noUsage } from '../../machines/conversation.ts';
import { check, explain, type NodeSpec } from '../../machines/plan.ts';
import type { DecomposeInput, SupervisorEvent } from '../../machines/supervisor-context.ts';
import { CoxError } from '../../platform/errors.ts';
import type { ChatMessage } from '../../roster/conversation.ts';
import { requireCoordinator } from '../../roster/coordinator.ts';
import type { Purse } from '../../roster/purse.ts';
import { effect } from '../host/effect.ts';
import { failureOf } from '../host/failure-of.ts';
import { Meter, metered } from '../host/meter.ts';
import { digestOf } from '../host/prompt-digest.ts';
import type { EffectHost } from '../host/role.ts';
import { askForMap } from './map-plan.ts';
import { orchestrator } from './orchestrator.ts';
import { planOfPage } from './page-plan.ts';
import { firstLines, kindList, type PlanOptions, reduceBy } from './plan-request.ts';

export const decompose = (host: EffectHost, options: PlanOptions) =>
  effect<DecomposeInput, SupervisorEvent>(
    async (input, say, signal) => {
      const given = host.spec.plan;
      const isAsDispatched = input.instruction === host.spec.instruction;
      if (given && isAsDispatched) {
        const kinds = new Set(options.kinds().map(({ name }) => name));
        // A task that begins again does not repeat the sub-tasks that have returned.
        const tasks = given.tasks.filter(({ key }) => !Object.hasOwn(input.nodes, key));
        const problem = planProblem(tasks, kinds, input, options.roster().supervision.maxTasks);
        if (problem)
          throw new CoxError('bad-plan', `The plan can't be carried out: ${problem}`, {
            hint: 'Correct the plan and dispatch it again.',
          });
        return say({
          type: 'PLANNED',
          nodes: tasks,
          reduce: given.reduce,
          usage: noUsage,
          backend: 'plan',
        });
      }
      await host.committed(signal);
      requireCoordinator(options.roster());
      const route = orchestrator(options.backends, input.backend, host.spec.avoid);
      host.onBackend(route.backend);
      host.note(`plan by ${route.backend}: ${route.why}`);
      const isSmall = options.backends.menu().find(({ name }) => name === route.backend)?.kind === 'embedded';
      const direct = isSmall ? await planOfPage(input, options) : null;
      if (direct) return say({ type: 'PLANNED', ...direct, usage: noUsage, backend: 'plan' });
      if (!isSmall) host.sends(input.step, digestOf({ messages: planMessages(input, options) }));
      const meter = new Meter(host, route.backend, say, signal);
      const { plan, usage } = await metered(meter, () =>
        isSmall
          ? askForMap(route.backend, input, options, signal, meter)
          : askForPlan(route.backend, input, options, signal, meter),
      );
      say({ type: 'PLANNED', ...plan, usage: meter.bill(usage), backend: route.backend });
    },
    (cause) => ({ type: 'PLAN_FAILED', error: failureOf(cause) }),
  );

async function askForPlan(backend: string, input: DecomposeInput, options: PlanOptions, signal: AbortSignal, purse: Purse) {
  const { supervision } = options.roster();
  const kinds = new Set(options.kinds().map(({ name }) => name));
  const Plan = z
    .object({
      tasks: z
        .array(
          PlanTask.omit({ backend: true, produces: true, expect: true }).extend({
            writes: z.array(z.string().min(1).max(1024)).max(16).default([]),
          }),
        )
        .min(1)
        .max(Math.min(supervision.maxTasks, 200)),
      final: z.string().min(1).max(4_000),
    })
    .superRefine(({ tasks }, context) => {
      const problem = planProblem(
        tasks.map((task) => ({ ...task, backend: null })),
        kinds,
        input,
        supervision.maxTasks,
      );
      if (problem) context.addIssue({ code: 'custom', path: ['tasks'], message: problem });
    });
  const { value, usage } = await options.backends.ask(
    backend,
    { messages: planMessages(input, options), shape: Plan, shapeName: 'plan', temperature: 0 },
    signal,
    purse,
  );
  // Models invent capabilities. A capability that no backend claims would leave the sub-task without a backend.
  const claimed = new Set(options.backends.menu().flatMap(({ goodAt }) => goodAt));
  const nodes = value.tasks.map(
    ({ writes, ...task }): NodeSpec => ({
      ...{ ...task, needs: task.needs.filter((need) => claimed.has(need)), backend: null },
      ...(writes.length > 0 && { produces: writes.map((file) => ({ file })) }),
    }),
  );
  return { plan: { nodes, reduce: reduceBy(options.roster(), value.final) }, usage };
}

/** The request for a plan, as far as it is in words. A replay builds it by the same code. */
export const planMessages = (input: DecomposeInput, options: Pick<PlanOptions, 'kinds'>): ChatMessage[] => [
  {
    role: 'system',
    text: `You split a goal into sub-tasks that other agents carry out in parallel. Each agent sees only its own instruction, and the results of the sub-tasks named in its "after". Use as few sub-tasks as serve the goal; let independent ones run side by side.
Fill in tasks [{ key, type, instruction, needs, after, writes }] and final: what to make of the results. writes: the files that the sub-task must have written when it ends, where the goal asks for files.
Types:
${kindList(options)}`,
  },
  { role: 'user', text: firstLines(input) },
];

function planProblem(
  nodes: readonly NodeSpec[],
  kinds: ReadonlySet<string>,
  { nodes: done }: Pick<DecomposeInput, 'nodes'>,
  maxTasks: number,
): string | null {
  if (nodes.length > maxTasks) return `it has ${nodes.length} sub-tasks, the roster allows ${maxTasks}`;
  const stranger = nodes.find(({ type }) => !kinds.has(type) && type !== 'supervisor');
  if (stranger) return `${stranger.key} is of type ${stranger.type}; there are ${[...kinds].join(', ')}`;
  const clash = nodes.find(({ key }) => Object.hasOwn(done, key));
  if (clash) return `${clash.key} is done already; choose another key`;
  const fault = check(nodes, Object.keys(done));
  return fault && explain(fault);
}
