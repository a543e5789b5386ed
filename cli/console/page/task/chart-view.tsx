/** The chart of the task's machine: where it is, the way it took, and what may happen next, with the reason of each condition. */
import { useEffect, useState } from 'preact/hooks';
import type { LiveMachine, MachineReport, PassedState } from '../../../../bus/inspect/machine-report.ts';
import type { Layout, PlacedArrow, PlacedBox } from '../../../chart/layout.ts';
import { useVerb } from '../asked.ts';
import { Ago } from '../parts/figures.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { Line } from '../parts/text.tsx';
import { line } from '../text.ts';
import type { Definition } from './chart-picture.ts';
import { NodeNotice } from './node-notice.tsx';

export function ChartView({ task }: { task: string }) {
  const asked = useVerb<MachineReport>('machine', { task }, { subjects: [`tasks.${task}.status`] });
  const report = asked.data.value;
  return (
    <section aria-labelledby="chart">
      <h2 id="chart">Machine {report && <Line text={report.machine} most={40} />}</h2>
      <NodeNotice of={asked} what="draw the machine of a task" />
      {report && <Chart report={report} />}
      {report?.live && <Next live={report.live} />}
      {report?.live && <Path live={report.live} />}
    </section>
  );
}

function Chart({ report: { definition, version, live } }: { report: MachineReport }) {
  const [layout, setLayout] = useState<Layout | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    let current = true;
    import('./chart-layout.ts')
      .then(({ layoutOf }) => layoutOf(definition as unknown as Definition, version))
      .then((placed) => current && setLayout(placed))
      .catch((cause) => current && setProblem(String(cause)));
    return () => {
      current = false;
    };
  }, [definition.id, version]);
  if (problem !== null)
    return <p class="notice bad">The chart cannot be drawn: {line(problem, 200)}. Its states are listed below.</p>;
  if (layout === null) return <p class="notice">Drawing the chart …</p>;
  const times = timesOf(live?.path ?? []);
  const active = live?.states ?? [];
  const now = active.at(-1);
  return (
    <Scroll label="The chart as a picture; the lists below say the same in words">
      <svg
        class="chart"
        width={layout.width}
        height={layout.height}
        viewBox={`0 0 ${layout.width} ${layout.height}`}
        role="img"
        aria-label={`The chart ${line(String(definition.id), 40)}. The task is in ${now ?? 'no state'}.`}
      >
        <defs>
          <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
            <path d="M0 0 L8 4 L0 8 z" class="tip" />
          </marker>
        </defs>
        {layout.boxes.map((each) => (
          <ChartBox
            key={each.box.id}
            of={each}
            isActive={active.includes(each.box.id)}
            isNow={each.box.id === now}
            times={times.get(each.box.id) ?? 0}
          />
        ))}
        {layout.arrows.map((each) => (
          <ChartArrow key={`${each.arrow.from} ${each.arrow.to}`} of={each} />
        ))}
      </svg>
    </Scroll>
  );
}

interface BoxProps {
  readonly of: PlacedBox;
  readonly isActive: boolean;
  readonly isNow: boolean;
  readonly times: number;
}

function ChartBox({ of: { box, x, y, width, height, words }, isActive, isNow, times }: BoxProps) {
  if (box.tone === 'start') return <circle cx={x + width / 2} cy={y + height / 2} r={5} class="start" />;
  const said = [isNow ? '● now' : '', times > 0 ? `${times} ${times === 1 ? 'time' : 'times'}` : ''].filter(Boolean).join(' · ');
  return (
    <g class={`box ${box.tone} ${isActive ? 'active' : ''} ${times > 0 ? 'passed' : ''}`}>
      <rect x={x} y={y} width={width} height={height} rx={box.tone === 'ends' ? 14 : 6} />
      <text
        x={words.x + (box.inside.length > 0 ? 0 : words.width / 2)}
        y={words.y + 15}
        class={box.inside.length > 0 ? 'name' : 'name middle'}
      >
        {line(box.name, 60)}
      </text>
      {box.inside.length === 0 && said !== '' && (
        <text x={words.x + words.width / 2} y={words.y + 33} class="caption middle">
          {said}
        </text>
      )}
    </g>
  );
}

const ChartArrow = ({ of: { arrow, points, label } }: { of: PlacedArrow }) => (
  <g class="arrow">
    <polyline points={points.map(({ x, y }) => `${x},${y}`).join(' ')} marker-end="url(#tip)" />
    {label &&
      arrow.label.map((word, at) => (
        <text key={word} x={label.x + 4} y={label.y + 12 + at * 16}>
          {line(word, 60)}
        </text>
      ))}
  </g>
);

function timesOf(path: readonly PassedState[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const [at, { path: name }] of path.entries())
    if (at === 0 || path[at - 1]!.path !== name) times.set(name, (times.get(name) ?? 0) + 1);
  return times;
}

function Next({ live: { next, unreadable } }: { live: LiveMachine }) {
  if (unreadable !== undefined)
    return (
      <p class="notice bad">
        This node cannot read the state of the task: <Line text={unreadable} most={200} />
      </p>
    );
  if (next.length === 0) return <p class="notice">Nothing more can happen to this task.</p>;
  return (
    <details open>
      <summary>
        What may happen next ({next.filter(({ open }) => open).length} of {next.length} open)
      </summary>
      <Scroll label="Possible next events">
        <table class="next">
          <thead>
            <tr>
              <th scope="col">Event</th>
              <th scope="col">Leads to</th>
              <th scope="col">Open</th>
              <th scope="col">Condition</th>
            </tr>
          </thead>
          <tbody>
            {[...next]
              .sort((a, b) => Number(b.open) - Number(a.open))
              .map(({ event, target, open, guard, why }, at) => (
                <tr key={at}>
                  <th scope="row">
                    <code>{line(event || 'at once', 60)}</code>
                  </th>
                  <td>{target === null ? 'stays' : <Line text={target} most={60} />}</td>
                  <td>
                    <span class={`state ${open ? 'good' : 'quiet'}`}>
                      <span aria-hidden="true">{open ? '✓' : '–'}</span> {open ? 'yes' : 'no'}
                    </span>
                  </td>
                  <td>
                    <Line text={why ?? guard ?? ''} most={160} />
                  </td>
                </tr>
              ))}
          </tbody>
        </table>
      </Scroll>
    </details>
  );
}

/** The last states of the way, newest first. */
const mostPassed = 60;
const Path = ({ live: { path, pathLeftOut } }: { live: LiveMachine }) => (
  <details>
    <summary>
      The way it took ({path.length + pathLeftOut} {path.length + pathLeftOut === 1 ? 'state' : 'states'})
    </summary>
    <ol class="passed-list">
      {[...path]
        .reverse()
        .slice(0, mostPassed)
        .map((each) => (
          <li key={each.commit}>
            <code>{line(each.path, 60)}</code> step {each.step} · <Ago at={each.at} /> ago on <Line text={each.node} most={40} />
            {each.doing !== undefined && (
              <>
                : <Line text={each.doing} most={120} />
              </>
            )}
            {each.why !== undefined && (
              <span class="meta">
                {' '}
                <Line text={each.why} most={160} />
              </span>
            )}
          </li>
        ))}
      {path.length > mostPassed && <li class="meta">and {path.length - mostPassed} earlier ones</li>}
      {pathLeftOut > 0 && <li class="meta">{pathLeftOut} earlier ones are not told</li>}
    </ol>
  </details>
);
