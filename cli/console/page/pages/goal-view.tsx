/** One goal: what waits for the operator, its figures, and its tree with lanes over time. */
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useId, useMemo } from 'preact/hooks';
import { goalStore } from '../goal-store.ts';
import { type Line, linesOf, type Row } from '../goal-tree.ts';
import { spanOf, timeOf, vitalOf } from '../lanes.ts';
import { count, dollars, lasting, tokensOf } from '../parts/figures.tsx';
import { GoalRow } from '../parts/goal-row.tsx';
import { NeedsUnlock } from '../parts/lock.tsx';
import { Notice } from '../parts/notice.tsx';
import { QuestionCard } from '../parts/question.tsx';
import { StateMark } from '../parts/state.tsx';
import { SteerForm } from '../parts/steer-form.tsx';
import { Line as Text } from '../parts/text.tsx';
import { rowId, Windowed } from '../parts/window.tsx';
import { go, to } from '../route.ts';
import { now } from '../session.ts';
import { questions } from '../store-inbox.ts';

const lineName = ({ name }: Line): string => name;
const isNarrow = matchMedia('(max-width: 640px)');
const rowHeights = { wide: 30, narrow: 52 };

export function GoalView({ goal }: { goal: string }) {
  const store = useMemo(() => goalStore(goal), [goal]);
  useEffect(() => store.start(), [store]);
  const search = useSignal('');
  const turned = useSignal<ReadonlySet<string>>(new Set());
  const current = useSignal<string | null>(null);
  const narrow = useSignal(isNarrow.matches);
  useEffect(() => {
    const change = () => {
      narrow.value = isNarrow.matches;
    };
    isNarrow.addEventListener('change', change);
    return () => isNarrow.removeEventListener('change', change);
  }, [narrow]);
  const lines = useComputed(() =>
    linesOf(store.rows.value ?? [], { search: search.value.trim().toLowerCase(), turned: turned.value }),
  );
  const field = useId();
  const rows = store.rows.value ?? [];
  const top = rows[0];
  const whole = timeOf(rows, now.value);
  const turn = (name: string) => {
    const next = new Set(turned.value);
    if (!next.delete(name)) next.add(name);
    turned.value = next;
  };
  const select = (name: string) => {
    current.value = name;
  };
  const onKey = (event: KeyboardEvent, item: Line) => {
    const hasBelow = item.kind === 'group' || item.children > 0;
    if (event.key === 'Enter' && item.kind === 'task' && item.row.id !== null) go('task', item.row.id);
    else if (
      hasBelow &&
      ((event.key === 'ArrowRight' && !item.isOpen) || (event.key === 'ArrowLeft' && item.isOpen) || event.key === ' ')
    )
      turn(item.name);
    else return;
    event.preventDefault();
  };
  const selected = lines.value.find(({ name }) => name === current.value);
  return (
    <>
      <p class="crumbs">
        <a href={to('goal')}>Goals</a> › {goal}
      </p>
      <Notice of={{ data: store.rows, error: store.error, again: store.again }} />
      {top && <GoalHead goal={goal} top={top} rows={rows} lines={lines.value} />}
      <Waiting goal={goal} />
      {top && (
        <section class="tree" aria-label={`Tree of ${goal}`}>
          <div class="row tools">
            <label for={field} class="sr">
              Find in the tree
            </label>
            <input
              id={field}
              type="search"
              value={search.value}
              onInput={({ currentTarget }) => {
                search.value = currentTarget.value;
              }}
              placeholder="Find by text, backend, state …"
            />
            <span class="meta" role="status">
              {search.value.trim() !== '' && `${lines.value.length} of ${rows.length} shown`}
            </span>
            <span class="meta hint-keys">↑ ↓ move · → ← open and close · Enter opens the task</span>
          </div>
          <div class="tree-head meta" aria-hidden="true">
            <span>Sub-task</span>
            <span>State</span>
            <span>Kind → backend</span>
            <span class="num">Step</span>
            <span class="num">Tokens · Σ below</span>
            <span class="num">Cost</span>
            <span class="num">Time</span>
            <span>Lanes over {lasting(whole.to - whole.from)}</span>
          </div>
          <Windowed
            items={lines.value}
            nameOf={lineName}
            rowHeight={narrow.value ? rowHeights.narrow : rowHeights.wide}
            label={`Sub-tasks of ${goal}`}
            current={current.value}
            onCurrent={select}
            onKey={onKey}
          >
            {(item, isCurrent) => (
              <GoalRow
                of={item}
                id={rowId(item, lineName)}
                isCurrent={isCurrent}
                whole={whole}
                now={now.value}
                onTurn={turn}
                onCurrent={select}
              />
            )}
          </Windowed>
          {selected?.kind === 'task' && <Selected row={selected.row} />}
        </section>
      )}
    </>
  );
}

function GoalHead({ goal, top, rows, lines }: { goal: string; top: Row; rows: readonly Row[]; lines: readonly Line[] }) {
  const first = lines[0];
  const sums = first?.kind === 'task' ? first.sums : null;
  const span = spanOf(top, now.value);
  const done = rows.filter(({ outcome }) => outcome !== null).length;
  const failed = rows.filter(({ outcome }) => outcome === 'failed').length;
  return (
    <header class="goal-head card">
      <h1>
        <Text text={top.instruction} most={280} />
      </h1>
      <p class="facts">
        <StateMark {...top} />
        <span>
          {done} of {rows.length} {rows.length === 1 ? 'task' : 'tasks'} ended
          {failed > 0 && <strong class="bad">, {failed} failed</strong>}
        </span>
        {sums && (
          <>
            <span class="num">{count(tokensOf(sums.usage))} tokens</span>
            <span class="num">
              {dollars(sums.usage)}
              {sums.usage.estimatedUsd !== undefined &&
                ` (${dollars({ ...sums.usage, costUsd: sums.usage.estimatedUsd })} of it estimated)`}
            </span>
          </>
        )}
        {span && <span class="num">{lasting(span.to - span.from)}</span>}
        <a href={to('task', goal)}>Its own steps</a>
      </p>
      {top.outcome === null && (
        <>
          <SteerForm task={goal} paused={top.paused === true} isGoal />
          <NeedsUnlock />
        </>
      )}
    </header>
  );
}

function Waiting({ goal }: { goal: string }) {
  const root = goal.split('.')[0];
  const mine = (questions.value ?? []).filter(({ id }) => id.split('.')[0] === root);
  if (mine.length === 0) return null;
  return (
    <section aria-label="What waits for you">
      <h2>
        <span class="state asks">
          <span aria-hidden="true">?</span> {mine.length === 1 ? 'One question waits' : `${mine.length} questions wait`} for you
        </span>
      </h2>
      <ol class="cards">
        {mine.slice(0, mostWaiting).map((each) => (
          <li key={`${each.id} ${each.question.id}`}>
            <QuestionCard of={each} />
          </li>
        ))}
      </ol>
      {mine.length > mostWaiting && (
        <p>
          <a href={to('inbox')}>{mine.length - mostWaiting} more in the inbox</a>
        </p>
      )}
    </section>
  );
}
const mostWaiting = 3;

/** The facts of a sub-task that its row has no room for. */
function Selected({ row }: { row: Row }) {
  const vital = vitalOf(row, now.value);
  return (
    <aside class="card selected" aria-label="The selected sub-task" aria-live="off">
      <h2>
        {row.id === null ? <Text text={row.key ?? ''} most={64} /> : <a href={to('task', row.id)}>{row.id}</a>}{' '}
        <StateMark {...row} />
      </h2>
      <p class="prose">
        <Text text={row.instruction} most={1_000} />
      </p>
      {row.after && (
        <p class="meta">
          Waits for <Text text={row.after.join(', ')} most={200} />
        </p>
      )}
      {row.doing !== undefined && (
        <p class="meta">
          Now: <Text text={row.doing} most={200} />
        </p>
      )}
      {vital && <p class={vital.isQuiet ? 'bad' : 'meta'}>{vital.word}</p>}
      {row.incomplete !== undefined && (
        <p class="bad">
          Its answer is incomplete: <Text text={row.incomplete} most={60} />
        </p>
      )}
    </aside>
  );
}
