/** One line of the tree of a goal, with its lane on the time of the goal. */
import type { Line } from '../goal-tree.ts';
import { placeOf, type Span, spanOf, vitalOf } from '../lanes.ts';
import { to } from '../route.ts';
import { line } from '../text.ts';
import { count, dollars, lasting, tokensOf } from './figures.tsx';
import { lookOf } from './state.tsx';

export interface GoalRowProps {
  readonly of: Line;
  readonly id: string;
  readonly isCurrent: boolean;
  readonly whole: Span;
  /** In ms, by whole seconds: what changes with time changes once a second. */
  readonly now: number;
  readonly onTurn: (name: string) => void;
  readonly onCurrent: (name: string) => void;
}

export function GoalRow(props: GoalRowProps) {
  const { of, id, isCurrent, onCurrent } = props;
  const hasBelow = of.kind === 'group' || of.children > 0;
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the tree has the focus, and names its current row (aria-activedescendant).
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the tree (parts/window.tsx).
    <div
      id={id}
      role="treeitem"
      class={`goal-row${isCurrent ? ' current' : ''}`}
      aria-level={of.depth + 1}
      aria-selected={isCurrent}
      aria-expanded={hasBelow ? of.isOpen : undefined}
      onClick={() => onCurrent(of.name)}
    >
      <span class="goal-name" style={{ paddingInlineStart: `${Math.min(of.depth, 8) * 14}px` }}>
        <Twist {...props} hasBelow={hasBelow} />
        {of.kind === 'group' ? <GroupName of={of} /> : <TaskName of={of} />}
      </span>
      {of.kind === 'group' ? <GroupFigures {...props} of={of} /> : <TaskFigures {...props} of={of} />}
    </div>
  );
}

/** For the mouse; by keyboard the arrows to the right and to the left open and close. */
const Twist = ({ of, hasBelow, onTurn }: GoalRowProps & { hasBelow: boolean }) =>
  hasBelow ? (
    <button
      type="button"
      class="twist"
      tabIndex={-1}
      aria-hidden="true"
      onClick={(event) => {
        event.stopPropagation();
        onTurn(of.name);
      }}
    >
      {of.isOpen ? '▾' : '▸'}
    </button>
  ) : (
    <span class="twist" />
  );

type Of<K extends Line['kind']> = Extract<Line, { kind: K }>;

const TaskName = ({ of: { row } }: { of: Of<'task'> }) => (
  <>
    {row.id === null ? (
      <bdi class="key">{line(row.key ?? '', 40)}</bdi>
    ) : (
      <a href={to('task', row.id)} tabIndex={-1} class="key">
        <bdi>{line(row.key ?? row.id, 40)}</bdi>
      </a>
    )}
    <bdi class="what">{line(row.instruction, 160)}</bdi>
  </>
);

const GroupName = ({ of: { rows } }: { of: Of<'group'> }) => (
  <>
    <strong>{rows.length} alike</strong>
    <bdi class="what">
      {line(rows[0]!.type, 40)}: {line(rows[0]!.instruction, 80)} …
    </bdi>
  </>
);

function TaskFigures({ of: { row, own: ownUsage, sums, children }, whole, now }: GoalRowProps & { of: Of<'task'> }) {
  const { sign, word, tone } = lookOf(row);
  const span = spanOf(row, now);
  const vital = vitalOf(row, now);
  const own = tokensOf(ownUsage);
  return (
    <>
      <span class={`state ${tone}`} title={row.doing === undefined ? undefined : line(row.doing, 200)}>
        <span aria-hidden="true">{sign}</span> {word}
        {vital?.isQuiet && (
          <span class="quiet-mark" title={vital.word}>
            {' '}
            · quiet
          </span>
        )}
      </span>
      <span class="backend meta">
        <bdi>{line(row.type, 24)}</bdi>
        {row.backend !== null && <bdi> → {line(row.backend, 32)}</bdi>}
      </span>
      <span class="num steps meta">
        <span class="sr">step </span>
        {row.steps > 0 && row.steps}
      </span>
      <span class="num tokens" title={children > 0 ? `${own} of its own, ${tokensOf(sums.usage)} with all below` : undefined}>
        {own > 0 && count(own)}
        {children > 0 && <span class="meta"> Σ {count(tokensOf(sums.usage))}</span>}
        <span class="sr"> tokens</span>
      </span>
      <span class="num cost">{sums.usage.costUsd > 0 && dollars(sums.usage)}</span>
      <span class="num time">{span && lasting(span.to - span.from)}</span>
      <Lane span={span} whole={whole} tone={tone} />
    </>
  );
}

function GroupFigures({ of: { rows, sums }, whole, now }: GoalRowProps & { of: Of<'group'> }) {
  const { sign, word, tone } = lookOf(rows[0]!);
  const spans = rows.flatMap((row) => spanOf(row, now) ?? []);
  const span = spans.length > 0 ? { from: least(spans.map(({ from }) => from)), to: -least(spans.map(({ to }) => -to)) } : null;
  return (
    <>
      <span class={`state ${tone}`}>
        <span aria-hidden="true">{sign}</span> {word}
      </span>
      <span class="backend meta">
        <bdi>{line(rows[0]!.type, 24)}</bdi>
      </span>
      <span class="steps" />
      <span class="num tokens">
        <span class="meta">Σ {count(tokensOf(sums.usage))}</span>
        <span class="sr"> tokens</span>
      </span>
      <span class="num cost">{sums.usage.costUsd > 0 && dollars(sums.usage)}</span>
      <span class="num time">{span && lasting(span.to - span.from)}</span>
      <Lane span={span} whole={whole} tone={tone} />
    </>
  );
}

const least = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);

function Lane({ span, whole, tone }: { span: Span | null; whole: Span; tone: string }) {
  if (!span) return <span class="lane" aria-hidden="true" />;
  const { left, width } = placeOf(span, whole);
  return (
    <span class="lane" aria-hidden="true">
      <span class={`bar ${tone}`} style={{ left: `${left.toFixed(2)}%`, width: `${width.toFixed(2)}%` }} />
    </span>
  );
}
