/** How many tasks below a goal wait for their operator: its own status counts them as running. */
import type { Crew } from '../bus/crew.ts';
import type { Status } from '../bus/messages.ts';
import { parentOf, rootOf, type TaskId } from '../bus/task-id.ts';

export async function askingBelow(crew: Pick<Crew, 'questions'>, { id, subTasks, outcome }: Status): Promise<number> {
  if (!subTasks || outcome !== null) return 0;
  const questions = await crew.questions(rootOf(id));
  return questions.filter((question) => isBelow(question.id, id)).length;
}

function isBelow(task: TaskId, goal: TaskId): boolean {
  for (let above = parentOf(task); above !== null; above = parentOf(above)) if (above === goal) return true;
  return false;
}
