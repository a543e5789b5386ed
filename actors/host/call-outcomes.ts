/**
 * Outcomes of the calls that a worker was running when it lost their task. They are posted to the task's log, in the order of the
 * calls.
 * Rule `lost-call-outcome` (docs/task-protocol.md).
 */
import { askNodeAgain } from '../../bus/ask-node.ts';
import type { Bus } from '../../bus/bus.ts';
import type { CallOutcome } from '../../bus/messages.ts';
import { publish } from '../../bus/publish.ts';
import type { TaskId } from '../../bus/task-id.ts';
import { doesChores } from '../../bus/team/chores.ts';

/**
 * Nobody awaits this, because the worker no longer has the task. If the bus stays away, the operator answers the question
 * instead.
 */
export async function postOutcomes(bus: Bus, id: TaskId, outcomes: readonly CallOutcome[]): Promise<void> {
  for (const outcome of outcomes)
    try {
      await post(bus, id, outcome);
      bus.log.info({ id, call: outcome.call }, 'the task was lost during this call: its outcome is on the log');
    } catch (err) {
      bus.log.warn({ err, id, call: outcome.call }, 'the outcome of a call could not be posted: the task will ask its operator');
    }
}

/** In a crew with roles a worker may not publish on a steering subject. A node that hosts goals does it instead. */
async function post(bus: Bus, id: TaskId, outcome: CallOutcome): Promise<void> {
  if (!doesChores(bus)) return void (await askNodeAgain(bus, 'outcome', { task: id, outcome }));
  await publish(bus, bus.subjects.of(id, 'steering'), JSON.stringify(outcome), { msgID: `${id}:${outcome.id}` });
}
