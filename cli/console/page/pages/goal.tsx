/** The goals; with the name of one, its tree as it grows (goal-view.tsx). */
import { useId, useState } from 'preact/hooks';
import { useVerb } from '../asked.ts';
import { dispatch } from '../orders.ts';
import { Ago } from '../parts/figures.tsx';
import { NeedsUnlock } from '../parts/lock.tsx';
import { Notice } from '../parts/notice.tsx';
import { StateMark } from '../parts/state.tsx';
import { Line } from '../parts/text.tsx';
import type { TaskRow, TasksReply } from '../replies.ts';
import { go, to } from '../route.ts';
import { mayWrite } from '../session.ts';
import { questions } from '../store-inbox.ts';
import { GoalView } from './goal-view.tsx';

export const GoalPage = ({ of }: { of: string | null }) => (of === null ? <Goals /> : <GoalView key={of} goal={of} />);

/** Goals that ended are shown this many at a time. */
const shownEnded = 30;

function Goals() {
  const asked = useVerb<TasksReply>('tasks', { goals: true }, { subjects: ['tasks.*.0.status', 'tasks.*.0.result'] });
  const [most, setMost] = useState(shownEnded);
  const goals = [...(asked.data.value?.tasks ?? [])].reverse();
  const open = goals.filter(({ outcome }) => outcome === null);
  const ended = goals.filter(({ outcome }) => outcome !== null);
  return (
    <>
      <h1>Goals</h1>
      <NewGoal />
      <Notice of={asked} />
      {asked.data.value && goals.length === 0 && <p class="notice">There are no goals yet.</p>}
      {open.length > 0 && <GoalList title="At work" goals={open} />}
      {ended.length > 0 && <GoalList title="Ended" goals={ended.slice(0, most)} />}
      {ended.length > most && (
        <button type="button" onClick={() => setMost(most + shownEnded)}>
          Show {Math.min(shownEnded, ended.length - most)} more of {ended.length - most}
        </button>
      )}
    </>
  );
}

function GoalList({ title, goals }: { title: string; goals: readonly TaskRow[] }) {
  const heading = useId();
  return (
    <section aria-labelledby={heading}>
      <h2 id={heading}>{title}</h2>
      <ul class="rows">
        {goals.map((goal) => (
          <GoalItem key={goal.id} goal={goal} />
        ))}
      </ul>
    </section>
  );
}

function GoalItem({ goal }: { goal: TaskRow }) {
  const root = goal.id.split('.')[0];
  const waiting = goal.outcome === null ? (questions.value ?? []).filter(({ id }) => id.split('.')[0] === root).length : 0;
  return (
    <li>
      <a href={to('goal', goal.id)} class="key">
        {goal.id}
      </a>
      <span class="what">
        <Line text={goal.instruction} most={140} />
      </span>
      {waiting > 0 && (
        <span class="state asks">
          <span aria-hidden="true">?</span> {waiting} {waiting === 1 ? 'question' : 'questions'}
        </span>
      )}
      <StateMark {...goal} />
      <span class="meta">
        <Ago at={goal.createdAt} /> ago
      </span>
    </li>
  );
}

function NewGoal() {
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const field = useId();
  const send = async (event: Event) => {
    event.preventDefault();
    if (text.trim() === '') return;
    setBusy(true);
    const id = await dispatch('supervisor', text.trim());
    setBusy(false);
    if (id !== null) go('goal', id);
  };
  return (
    <form class="card new-goal" onSubmit={send}>
      <label for={field}>New goal</label>
      <textarea
        id={field}
        rows={2}
        value={text}
        maxLength={65_536}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        placeholder="It is split into parts that are worked on at once …"
      />
      <div class="row">
        <button type="submit" class="primary" disabled={busy || !mayWrite.value || text.trim() === ''}>
          Dispatch
        </button>
        <NeedsUnlock />
      </div>
    </form>
  );
}
