/** The machines and backends that work: nodes with what they hold, backends, and tasks that were given up. */
import type { NodeReport } from '../../../../bus/messages.ts';
import { useAsked, useVerb } from '../asked.ts';
import { askAll } from '../link.ts';
import { Ago } from '../parts/figures.tsx';
import { Notice } from '../parts/notice.tsx';
import { Scroll } from '../parts/scroll.tsx';
import { lookOf } from '../parts/state.tsx';
import { Storage } from '../parts/storage.tsx';
import { Line } from '../parts/text.tsx';
import type { DeadReply, MenuEntry, MenuReply } from '../replies.ts';
import { to } from '../route.ts';

const lookMs = 5_000;

export function CrewPage() {
  return (
    <>
      <h1>Crew</h1>
      <Nodes />
      <Backends />
      <Storage />
      <Letters />
    </>
  );
}

function Nodes() {
  const asked = useAsked('nodes', () => askAll<NodeReport>('nodes'), { everyMs: lookMs });
  const nodes = [...(asked.data.value ?? [])].sort((a, b) => (a.since < b.since ? -1 : 1));
  return (
    <section aria-labelledby="nodes">
      <h2 id="nodes">Nodes</h2>
      <Notice of={asked} />
      {asked.data.value?.length === 0 && <p class="notice">No node is up: nothing is worked on. Start one: cox up.</p>}
      <div class="grid">
        {nodes.map((node) => (
          <article class="card" key={node.name}>
            <header>
              <h3>
                <Line text={node.name} most={64} />
              </h3>
              <span class="meta">
                {node.draining ? 'draining · ' : ''}up <Ago at={node.since} />
              </span>
            </header>
            <p class="meta">
              <Line text={`${node.host} · process ${node.pid} · ${node.version}`} most={120} />
            </p>
            <p class="meta">
              {node.held} held · {node.slots} slots a kind · <Line text={node.types.join(', ')} most={200} />
            </p>
            <ul class="held" aria-label={`Tasks that ${node.name} holds`}>
              {node.tasks.slice(0, 12).map((task) => (
                <li key={task.id}>
                  <a href={to('task', task.id)}>{task.id}</a> <Line text={task.type} most={40} />{' '}
                  {lookOf({ ...task, outcome: null }).word} · step {task.step} · <Ago at={task.since} />
                </li>
              ))}
              {node.held > 12 && <li class="meta">and {node.held - 12} more</li>}
            </ul>
          </article>
        ))}
      </div>
    </section>
  );
}

function Backends() {
  const asked = useVerb<MenuReply>('menu', {}, { everyMs: lookMs });
  return (
    <section aria-labelledby="backends">
      <h2 id="backends">Backends</h2>
      <Notice of={asked} />
      <Scroll label="Table of backends">
        <table>
          <thead>
            <tr>
              <th scope="col">Backend</th>
              <th scope="col">State</th>
              <th scope="col">Good at</th>
              <th scope="col">Price for a million tokens</th>
              <th scope="col">Learnt</th>
            </tr>
          </thead>
          <tbody>
            {asked.data.value?.backends.map((entry) => (
              <Backend key={entry.name} of={entry} />
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}

const Backend = ({ of: { name, model, kind, tier, available, why, goodAt, cost, learnt = [] } }: { of: MenuEntry }) => (
  <tr>
    <th scope="row">
      <Line text={name} most={64} />
      <span class="meta">
        {' '}
        <Line text={`${tier} · ${model ?? kind}`} most={64} />
      </span>
    </th>
    <td>
      <span class={`state ${available ? 'good' : 'bad'}`}>
        <span aria-hidden="true">{available ? '✓' : '✕'}</span> {available ? 'available' : 'not available'}
      </span>
      {why && (
        <span class="meta">
          {' '}
          <Line text={why} most={160} />
        </span>
      )}
    </td>
    <td>
      <Line text={goodAt.join(', ')} most={120} />
    </td>
    <td class="num">
      {cost === null ? 'not known' : cost.input + cost.output === 0 ? 'free' : `$${cost.input} in · $${cost.output} out`}
    </td>
    <td>
      {learnt.map(({ what, since }) => (
        <span key={what} class="meta">
          <Line text={what} most={80} /> <Ago at={since} />{' '}
        </span>
      ))}
    </td>
  </tr>
);

function Letters() {
  const asked = useVerb<DeadReply>('dead', { limit: 50 }, { everyMs: lookMs });
  const letters = asked.data.value?.letters ?? [];
  return (
    <section aria-labelledby="dead">
      <h2 id="dead">Dead letters</h2>
      <Notice of={asked} />
      {asked.data.value && letters.length === 0 && <p class="notice">No task was given up.</p>}
      <ul class="cards">
        {letters.map((letter) => (
          <li key={letter.id} class="card">
            <strong>{letter.kind === 'task' ? <a href={to('task', letter.id)}>{letter.id}</a> : letter.id}</strong>{' '}
            <Line text={letter.type} most={40} /> · <Ago at={letter.at} /> ago: <Line text={letter.why} most={200} />
          </li>
        ))}
      </ul>
    </section>
  );
}
