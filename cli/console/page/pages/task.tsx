/** One task: its state and what it asks, its conversation, its machine, and every message that it was sent. */
import { useState } from 'preact/hooks';
import type { JournalReply } from '../../../../bus/journal/journal-messages.ts';
import type { Status } from '../../../../bus/messages.ts';
import { useVerb } from '../asked.ts';
import { count, dollars, tokensOf } from '../parts/figures.tsx';
import { NeedsUnlock } from '../parts/lock.tsx';
import { Notice } from '../parts/notice.tsx';
import { QuestionCard } from '../parts/question.tsx';
import { StateMark } from '../parts/state.tsx';
import { SteerForm } from '../parts/steer-form.tsx';
import { Line } from '../parts/text.tsx';
import { to } from '../route.ts';
import { questions } from '../store-inbox.ts';
import { ChartView } from '../task/chart-view.tsx';
import { MoreOrders } from '../task/more-orders.tsx';
import { Steering } from '../task/steering.tsx';
import { Steps } from '../task/steps.tsx';
import { line } from '../text.ts';

export function TaskPage({ of }: { of: string | null }) {
  if (of === null || !/^[a-z0-9]+\.[0-9-]+$/.test(of))
    return (
      <>
        <h1>Task</h1>
        <p class="notice">
          {of === null ? 'No task is named.' : `${line(of, 60)} is no name of a task.`} <a href={to('goal')}>The goals</a> lead to
          all.
        </p>
      </>
    );
  return <Task key={of} task={of} />;
}

function Task({ task }: { task: string }) {
  const asked = useVerb<Status>('status', { task }, { subjects: [`tasks.${task}.status`, `tasks.${task}.result`] });
  const [journal, setJournal] = useState<JournalReply | null>(null);
  const status = asked.data.value;
  const open = (questions.value ?? []).filter(({ id }) => id === task);
  const goal = `${task.split('.')[0]}.0`;
  return (
    <>
      <p class="crumbs">
        <a href={to('goal')}>Goals</a> › <a href={to('goal', goal)}>{goal}</a> › {task}
      </p>
      <Notice of={asked} />
      {status === null ? (
        <h1>Task {task}</h1>
      ) : (
        <header class="goal-head card">
          <h1>
            {task} {journal && <Line text={journal.instruction} most={280} />}
          </h1>
          <p class="facts">
            <StateMark {...status} id={task} />
            <Line text={status.type} most={40} />
            {status.backend !== null && <Line text={status.backend} most={64} />}
            <span class="num">step {status.step}</span>
            <span class="num">{count(tokensOf(status.usage))} tokens</span>
            <span class="num">{dollars(status.usage)}</span>
            {status.doing !== undefined && <Line text={status.doing} most={160} />}
          </p>
          {journal?.forkOf && (
            <p class="meta">
              It goes on from step {journal.forkOf.step} of <a href={to('task', journal.forkOf.id)}>{journal.forkOf.id}</a>.
            </p>
          )}
          {status.outcome === null && (
            <>
              <SteerForm task={task} paused={status.paused} isGoal={task === goal && status.type === 'supervisor'} />
              <MoreOrders task={task} backend={status.backend} />
              <NeedsUnlock />
            </>
          )}
        </header>
      )}
      {open.map((each) => (
        <QuestionCard key={each.question.id} of={each} />
      ))}
      <div class="columns">
        <Steps task={task} status={status} onReply={setJournal} />
        <div class="column">
          <ChartView task={task} />
          <Steering task={task} />
        </div>
      </div>
    </>
  );
}
