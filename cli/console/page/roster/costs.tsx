/** Ninety days of cost by backend, from the ledger of costs, and what was saved against a reference model. */
import { useMemo } from 'preact/hooks';
import { useVerb } from '../asked.ts';
import { Scroll } from '../parts/scroll.tsx';
import { Line } from '../parts/text.tsx';
import { line } from '../text.ts';
import { byDay, type CostsReply, days, mostBackends } from './cost-days.ts';

const size = { width: 900, height: 180, left: 44, bottom: 18 };

export function Costs() {
  const since = useMemo(() => `${new Date(Date.now() - (days - 1) * 86_400_000).toISOString().slice(0, 10)}T00:00:00.000Z`, []);
  const asked = useVerb<CostsReply>('costs', { since, by: ['day', 'backend'], limit: 1_000 }, { everyMs: 60_000 });
  const reply = asked.data.value;
  return (
    <section aria-labelledby="costs">
      <h2 id="costs">Cost of {days} days</h2>
      {reply === null ? (
        <p class="notice">
          {asked.error.value === null
            ? 'Loading …'
            : 'There is no ledger of costs yet: no node keeps one. What each goal cost stands with the goal.'}
        </p>
      ) : (
        <Drawn reply={reply} since={since} />
      )}
    </section>
  );
}

function Drawn({ reply, since }: { reply: CostsReply; since: string }) {
  const { columns, backends, most } = byDay(reply, since);
  const { total, reference } = reply;
  const wide = (size.width - size.left) / days;
  const high = size.height - size.bottom - 8;
  const yOf = (usd: number): number => (most === 0 ? 0 : (usd / most) * high);
  return (
    <>
      <p class="facts">
        <span>
          Spent <strong class="num">{usd(total.costUsd)}</strong>
          {(total.estimatedUsd ?? 0) > 0 && ` (${usd(total.estimatedUsd!)} of it estimated)`}
        </span>
        {reference && total.savedUsd !== undefined && (
          <span>
            {total.savedUsd >= 0 ? 'Saved' : 'Spent more by'} <strong class="num">{usd(Math.abs(total.savedUsd))}</strong> against
            a model at ${reference.input} in, ${reference.output} out
          </span>
        )}
      </p>
      {total.costUsd === 0 ? (
        <p class="notice">Nothing was spent in this time.</p>
      ) : (
        <Scroll label="Cost of each day as a picture; the table below has the sums">
          <svg
            class="cost-chart"
            viewBox={`0 0 ${size.width} ${size.height}`}
            role="img"
            aria-label={`Cost of each of ${days} days, at most ${usd(most)} a day`}
          >
            <text x={size.left - 6} y={14} class="cost-text">
              {usd(most)}
            </text>
            <text x={size.left - 6} y={size.height - size.bottom} class="cost-text">
              $0
            </text>
            <text x={size.left + 64} y={size.height - 4} class="cost-text">
              {columns[0]!.day}
            </text>
            <text x={size.width - 2} y={size.height - 4} class="cost-text">
              today
            </text>
            <line x1={size.left} x2={size.width} y1={size.height - size.bottom} y2={size.height - size.bottom} />
            {columns.map(({ day, parts }, at) => {
              let y = size.height - size.bottom;
              return parts.map(({ backend, costUsd }) => {
                const height = yOf(costUsd);
                y -= height;
                return (
                  <rect
                    key={`${day} ${backend}`}
                    x={size.left + at * wide + 1}
                    y={y}
                    width={Math.max(1, wide - 2)}
                    height={height}
                    class={`series s${backends.indexOf(backend) % mostBackends}`}
                  >
                    <title>{`${day} ${line(backend, 64)}: ${usd(costUsd)}`}</title>
                  </rect>
                );
              });
            })}
          </svg>
        </Scroll>
      )}
      <Scroll label="Cost by backend">
        <table>
          <thead>
            <tr>
              <th scope="col">Backend</th>
              <th scope="col">Spent</th>
              <th scope="col">Tokens in · out</th>
            </tr>
          </thead>
          <tbody>
            {backends.map((backend, at) => {
              const rows = reply.rows.filter((row) => row.backend === backend);
              const sum = (of: (row: CostsReply['rows'][number]) => number) => rows.reduce((before, row) => before + of(row), 0);
              return (
                <tr key={backend}>
                  <th scope="row">
                    <span class={`swatch s${at % mostBackends}`} aria-hidden="true" /> <Line text={backend} most={64} />
                  </th>
                  <td class="num">{usd(sum(({ costUsd }) => costUsd))}</td>
                  <td class="num">
                    {sum(({ inputTokens }) => inputTokens).toLocaleString('en')} ·{' '}
                    {sum(({ outputTokens }) => outputTokens).toLocaleString('en')}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scroll>
      {reply.more > 0 && <p class="meta">{reply.more} further rows are in the sum alone.</p>}
    </>
  );
}

const usd = (amount: number): string => `$${amount === 0 ? '0' : amount < 0.01 ? amount.toFixed(4) : amount.toFixed(2)}`;
