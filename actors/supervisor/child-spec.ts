/**
 * The order for a sub-task, so that it fits one message: a ticket that no queue or reader takes would leave its goal waiting.
 * Rule `fits` (docs/task-protocol.md).
 */
import type { Bus } from '../../bus/bus.ts';
import { maxGivenChars, maxInstructionChars, TaskSpec } from '../../bus/messages.ts';
import { describe } from '../../bus/parse-message.ts';
import { maxPayload } from '../../bus/publish.ts';
import type { PlanNode } from '../../machines/plan.ts';
import type { SupervisorContext } from '../../machines/supervisor-context.ts';
import { CoxError } from '../../platform/errors.ts';
import { clippedToChars } from '../host/clipped.ts';

/** The result of an earlier sub-task. */
export type Given = TaskSpec['context'][number];

/** Fewer characters than this of each result are of no use. */
const leastGivenChars = 256;

/**
 * @returns in `cut` the titles of the results, and the word for the corrections, that were clipped.
 * @throws CoxError `too-big` if it cannot be made to fit; `bad-task` if it is no order that a worker takes.
 */
export function childSpec(
  bus: Pick<Bus, 'nc'>,
  goal: TaskSpec,
  node: PlanNode,
  context: SupervisorContext,
  given: readonly Given[],
): { spec: TaskSpec; cut: string[] } {
  const { instruction, isCut } = instructionOf(node, context.corrections);
  const spec = { ...orderOf(goal, node, context), instruction };
  // The record of the sub-task has the order too, beside its checkpoint.
  const maxBytes = maxPayload(bus) / 2;
  for (let maxChars = maxGivenChars * Math.max(1, given.length); ; maxChars /= 2) {
    const texts = fitting(given, maxChars);
    const whole = { ...spec, context: given.map((each, i) => ({ ...each, text: texts[i]! })) };
    if (Buffer.byteLength(JSON.stringify(whole)) <= maxBytes) {
      const cut = given.filter(({ text }, i) => text !== texts[i]).map(({ title }) => `the result of ${title}`);
      return { spec: checked(node, whole), cut: isCut ? [...cut, 'the corrections'] : cut };
    }
    if (given.length === 0 || maxChars / given.length < leastGivenChars)
      throw tooBig(node, `the order has more than the ${Math.floor(maxBytes)} bytes that fit a message`);
  }
}

const fitting = (given: readonly Given[], maxChars: number): string[] =>
  clippedToChars(
    given.map(({ text }) => clippedToChars([text], maxGivenChars)[0]!),
    maxChars,
  );

/** The instruction with the corrections of the goal. Corrections that do not fit are clipped, the longest first. */
function instructionOf({ key, instruction, corrections: count }: PlanNode, corrections: readonly string[]) {
  const whole = corrections.slice(0, count);
  const room = maxInstructionChars - instruction.length - whole.length * added('').length;
  if (room < whole.length * leastGivenChars && whole.length > 0 && room < whole.join('').length)
    throw tooBig({ key }, `its instruction and ${whole.length} corrections have more than ${maxInstructionChars} characters`);
  const texts = clippedToChars(whole, room);
  return { instruction: `${instruction}${texts.map(added).join('')}`, isCut: texts.some((text, i) => text !== whole[i]) };
}

const added = (text: string): string => `\n\nThe operator added: ${text}`;

function orderOf(
  goal: TaskSpec,
  node: PlanNode,
  { slices, allowed }: SupervisorContext,
): Omit<TaskSpec, 'instruction' | 'context'> {
  const costUsd = slices[node.child!];
  return {
    type: node.type,
    needs: [...node.needs],
    backend: node.backend,
    workspace: goal.workspace,
    deadlineAt: goal.deadlineAt,
    limits: costUsd === undefined ? {} : { costUsd },
    plan: null,
    avoid: [...new Set([...goal.avoid, ...node.without])],
    ...(node.produces && { produces: [...node.produces] }),
    ...(node.expect && { expect: node.expect }),
    ...(goal.approval && { approval: goal.approval }),
    ...(allowed.length > 0 && { allowed: [...allowed] }),
  };
}

/** A worker reads the order by the same schema, and would take a ticket that does not fit it for no ticket. */
function checked({ key }: PlanNode, spec: TaskSpec): TaskSpec {
  const { error } = TaskSpec.safeParse(spec);
  if (!error) return spec;
  throw new CoxError('bad-task', `Sub-task ${key} cannot be ordered: ${describe(error)}`, {
    hint: 'Change its place in the plan, or skip it.',
  });
}

const tooBig = ({ key }: Pick<PlanNode, 'key'>, why: string): CoxError =>
  new CoxError('too-big', `Sub-task ${key} cannot be started: ${why}`, {
    hint: 'Shorten what it is given, for instance by a sub-task between that sums it up, or skip it.',
  });
