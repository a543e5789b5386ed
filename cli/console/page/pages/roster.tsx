/** The roster of the crew: backends with health, load, price and knobs, the rules, and what was spent. */
import { useId, useState } from 'preact/hooks';
import type { RosterReport } from '../../../../bus/roster-report.ts';
import { type Asked, useVerb } from '../asked.ts';
import { Diff } from '../parts/diff.tsx';
import { NeedsUnlock } from '../parts/lock.tsx';
import { Line } from '../parts/text.tsx';
import { BackendCard, NumberKnob } from '../roster/backend-row.tsx';
import { Costs } from '../roster/costs.tsx';
import { change, discard, pending, pendingCount, problem, show, shown, write } from '../roster/edits.ts';
import { mayWrite } from '../session.ts';
import { NodeNotice } from '../task/node-notice.tsx';
import { line } from '../text.ts';

const lookMs = 3_000;
const reducers = ['orchestrator', 'concat', 'effects', 'json', 'vote'];

export function RosterPage() {
  const asked = useVerb<RosterReport>('roster', {}, { everyMs: lookMs });
  const report = asked.data.value;
  return (
    <>
      <h1>Roster</h1>
      <NodeNotice of={asked} what="tell its roster" />
      {report && (
        <>
          <p class="meta">
            {report.file === null ? 'The shipped roster' : <Line text={report.file} most={300} />} of{' '}
            <Line text={report.node} most={64} /> on <Line text={report.host} most={64} />
          </p>
          <Changes asked={asked} />
          <section aria-labelledby="backends">
            <h2 id="backends">Backends</h2>
            <div class="grid">
              {report.backends.map((each) => (
                <BackendCard key={each.name} of={each} />
              ))}
            </div>
          </section>
          <Rules of={report} />
        </>
      )}
      <Costs />
    </>
  );
}

function Rules({ of: { budgets, supervision, reducer, backends, routing, coordinator } }: { of: RosterReport }) {
  const field = useId();
  const waiting = pending.value.get('reducer');
  const choices = [...new Set([...reducers, ...backends.map(({ name }) => name), reducer])];
  return (
    <section aria-labelledby="rules">
      <h2 id="rules">Rules</h2>
      <fieldset class="card knobs rules">
        <legend class="sr">Rules of the roster</legend>
        <NumberKnob path="budgets.goal_usd" word="dollars a goal may cost" now={budgets.goalUsd} least={0} step="any" />
        <NumberKnob path="budgets.task_usd" word="dollars a sub-task may cost" now={budgets.taskUsd} least={0} step="any" />
        <NumberKnob path="supervision.concurrency" word="sub-tasks of a goal at once" now={supervision.concurrency} least={1} />
        <div class={`knob ${waiting === undefined ? '' : 'changed'}`}>
          <label for={field}>who reduces{waiting !== undefined && <span class="meta"> · changed</span>}</label>
          <select
            id={field}
            value={waiting ?? reducer}
            onChange={({ currentTarget: { value } }) => change('reducer', value, value === reducer)}
          >
            {choices.map((name) => (
              <option key={name} value={name}>
                {line(name, 64)}
              </option>
            ))}
          </select>
        </div>
      </fieldset>
      <p class="meta">
        Tiers: <Line text={routing.tiers.join(', ')} most={80} />
        {routing.rotate && ', in rotation among equals'} · coordinator <Line text={coordinator} most={40} /> · at most{' '}
        {supervision.maxTasks} sub-tasks in a plan, {supervision.maxDepth} deep
      </p>
    </section>
  );
}

/** The changes that are not written yet: first their difference, then a button that writes exactly that. */
function Changes({ asked }: { asked: Asked<RosterReport> }) {
  const [busy, setBusy] = useState(false);
  const run = (work: () => Promise<unknown>) => async () => {
    setBusy(true);
    await work();
    setBusy(false);
  };
  if (pendingCount.value === 0)
    return <p class="hint">Change knobs below; nothing is written before you have seen the difference.</p>;
  const seen = shown.value;
  const report = asked.data.value;
  return (
    <section class="card changes" aria-label="Changes that are not written yet">
      <div class="row">
        <strong role="status">
          {pendingCount.value} {pendingCount.value === 1 ? 'change' : 'changes'} not written
        </strong>
        <button type="button" class={seen ? '' : 'primary'} disabled={busy} onClick={run(show)}>
          Show the difference
        </button>
        <button type="button" disabled={busy} onClick={discard}>
          Discard
        </button>
      </div>
      {problem.value !== null && (
        <p class="bad" role="alert">
          ✕ {line(problem.value, 600)}
        </p>
      )}
      {seen && (
        <>
          <p class="meta">
            In <Line text={seen.file} most={300} />
            {report && report.file !== seen.file && (
              <strong>
                {' '}
                — this is the file of the console; the node <Line text={report.node} most={64} /> uses another one.
              </strong>
            )}
          </p>
          {seen.diff === '' ? <p class="notice">The file says so already.</p> : <Diff text={seen.diff} />}
          <div class="row">
            <button
              type="button"
              class="primary"
              disabled={busy || !mayWrite.value || seen.diff === ''}
              onClick={run(async () => {
                if (await write()) asked.again();
              })}
            >
              Write it
            </button>
            <NeedsUnlock />
          </div>
        </>
      )}
    </section>
  );
}
