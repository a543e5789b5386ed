/** How calls came out that a worker was in when it lost their task: posted to the task's steering log, in the order of the calls. */
import type { Bus } from '../../bus/bus.ts';
import type { CallOutcome } from '../../bus/messages.ts';
import { publish } from '../../bus/publish.ts';
import type { TaskId } from '../../bus/task-id.ts';

/** Not awaited by anyone: the worker has done with the task. Where the bus is gone for good, the operator answers the question. */
export async function postOutcomes(bus: Bus, id: TaskId, outcomes: readonly CallOutcome[]): Promise<void> {
  for (const outcome of outcomes)
    try {
      await publish(bus, bus.subjects.of(id, 'steering'), JSON.stringify(outcome), { msgID: `${id}:${outcome.id}` });
      bus.log.info({ id, call: outcome.call }, 'the task was lost during this call: its outcome is on the log');
    } catch (err) {
      bus.log.warn({ err, id, call: outcome.call }, 'the outcome of a call could not be told: the task will ask its operator');
    }
}
