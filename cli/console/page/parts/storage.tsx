/** The queues, the room of the server, and the newest notes of the memory that agents share. */
import { useVerb } from '../asked.ts';
import type { RoomReply } from '../replies.ts';
import { Ago, bytes, count } from './figures.tsx';
import { Notice } from './notice.tsx';
import { Scroll } from './scroll.tsx';
import { Line } from './text.tsx';

const lookMs = 5_000;

export function Storage() {
  const asked = useVerb<RoomReply>('room', {}, { everyMs: lookMs });
  const room = asked.data.value;
  return (
    <>
      <Notice of={asked} />
      {room && (
        <div class="pair">
          <Queues of={room.queues} />
          <Streams of={room} />
          <Notes of={room.notes} />
        </div>
      )}
    </>
  );
}

const Queues = ({ of }: { of: RoomReply['queues'] }) => (
  <section aria-labelledby="queues">
    <h2 id="queues">Queues</h2>
    <Scroll label="Table of queues">
      <table>
        <thead>
          <tr>
            <th scope="col">Kind</th>
            <th scope="col">Waiting</th>
            <th scope="col">At work</th>
          </tr>
        </thead>
        <tbody>
          {of.map(({ type, waiting, working }) => (
            <tr key={type}>
              <th scope="row">
                <Line text={type} most={64} />
              </th>
              <td class="num">{count(waiting)}</td>
              <td class="num">{count(working)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  </section>
);

const Streams = ({ of: { streams, server } }: { of: RoomReply }) => (
  <section aria-labelledby="room">
    <h2 id="room">Room</h2>
    <p class="meta">
      nats-server <Line text={server.version} most={40} /> stores {bytes(server.storedBytes)}
      {server.maxBytes !== null && ` of ${bytes(server.maxBytes)}`}
    </p>
    <Scroll label="Table of streams">
      <table>
        <thead>
          <tr>
            <th scope="col">Stream</th>
            <th scope="col">Messages</th>
            <th scope="col">Stored</th>
            <th scope="col">Of its limit</th>
          </tr>
        </thead>
        <tbody>
          {streams.map((stream) => (
            <tr key={stream.name}>
              <th scope="row">{stream.name}</th>
              <td class="num">{count(stream.messages)}</td>
              <td class="num">{bytes(stream.bytes)}</td>
              <td class="num">
                {stream.maxBytes === null ? <span class="meta">no limit</span> : <Meter part={stream.bytes / stream.maxBytes} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  </section>
);

function Meter({ part }: { part: number }) {
  const percent = Math.min(100, Math.round(part * 100));
  return (
    <>
      <span class={percent >= 90 ? 'meter full' : 'meter'} aria-hidden="true">
        <span style={{ width: `${percent}%` }} />
      </span>{' '}
      {percent} %{percent >= 90 && <strong class="bad"> nearly full</strong>}
    </>
  );
}

const Notes = ({ of }: { of: RoomReply['notes'] }) => (
  <section aria-labelledby="memory">
    <h2 id="memory">Memory</h2>
    {of.length === 0 ? (
      <p class="notice">No notes.</p>
    ) : (
      <ul class="cards">
        {of.map(({ key, text, from, at }) => (
          <li key={key} class="card">
            <strong>
              <Line text={key} most={128} />
            </strong>{' '}
            <span class="meta">
              by <Line text={from} most={64} />, <Ago at={at} /> ago
            </span>
            <div>
              <Line text={text} most={400} />
            </div>
          </li>
        ))}
      </ul>
    )}
  </section>
);
