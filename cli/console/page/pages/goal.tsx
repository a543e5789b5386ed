/** The goals, and the tree of one. */
import { useVerb } from '../asked.ts';
import { Ago } from '../parts/figures.tsx';
import { Notice } from '../parts/notice.tsx';
import { StateMark } from '../parts/state.tsx';
import { Line } from '../parts/text.tsx';
import type { TasksReply } from '../replies.ts';
import { to } from '../route.ts';

export function GoalPage(_props: { of: string | null }) {
  const asked = useVerb<TasksReply>('tasks', {}, { subjects: ['tasks.*.0.status'] });
  const goals = (asked.data.value?.tasks ?? []).filter(({ parent }) => parent === null).reverse();
  return (
    <>
      <h1>Goals</h1>
      <Notice of={asked} />
      <ul class="cards">
        {goals.map((goal) => (
          <li key={goal.id} class="card">
            <a href={to('goal', goal.id)}>{goal.id}</a> <StateMark {...goal} /> <Line text={goal.instruction} most={120} />{' '}
            <Ago at={goal.createdAt} />
          </li>
        ))}
      </ul>
    </>
  );
}
