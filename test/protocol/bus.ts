/** The bus: compare-and-set on records, logs that take an expected length, acks by sequence. Each function is one operation. */
import type { Rules } from './rules.ts';
import { breaks, type Event, type Id, type Proc, put, type Rec, type Status, spend, type World } from './world.ts';

/**
 * A write, and the record that the writer believes is there now; null when it knows that it lost. Writes of a batch count as
 * writes of their own: a refused one is sent again alone, and a lost reply is a lost reply to each writer.
 */
export interface Write {
  readonly world: World;
  readonly rec: Rec | null;
  /** The write was stored and its reply was lost: the writer will repeat it. */
  readonly unheard?: World;
}

export function write(world: World, id: Id, seen: Rec | null, next: Rec, by: string, rules: Rules): Write {
  const now = world.kv[id]!;
  // Revisions continue after a purge. 0 is the revision of a missing record.
  const at = seen?.w ?? 0;
  const w = now?.w || at || (world.purged ? 100 : 0);
  const rec: Rec = { ...next, by, w: w + 1 };
  if ((now?.w ?? 0) === at || (!rules.compareAndSet && now)) {
    const written = record(world, id, rec, now, rules);
    return { world: written, rec, ...(world.spare.replies > 0 && { unheard: { ...spend(written, 'replies'), deaths: 1 } }) };
  }
  const own = now !== null && now.w === at + 1 && now.epoch === next.epoch && (now.by === by || !rules.uniqueWrites);
  // Without unique ids the server’s memory of message ids lets the second writer believe that its record is stored.
  return { world, rec: own ? { ...rec, w: now.w } : null };
}

function record(world: World, id: Id, rec: Rec, before: Rec | null, rules: Rules): World {
  const old = rules.leaderReads ? world.old : put(world.old, id, before);
  const left = world.spare.kills > 0 ? put(world.left, id, before) : world.left;
  let next: World = { ...world, kv: put(world.kv, id, rec), old, left };
  const added = rec.n > (before?.n ?? 0) ? rec.out.slice((before?.n ?? 0) - rec.n) : [];
  if (added.length > 0) {
    const committed = world.committed[id]!;
    const finals = new Set(committed.flatMap((text) => finalsOf(JSON.parse(text) as Status)));
    for (const status of added)
      for (const final of finalsOf(status)) {
        if (finals.has(final)) next = breaks(next, 'a steer has one fate');
        finals.add(final);
      }
    next = { ...next, committed: put(next.committed, id, [...committed, ...added.map((status) => JSON.stringify(status))]) };
  }
  if (before?.result && rec.result !== before.result) next = breaks(next, 'a task has one result');
  return next;
}

const finalsOf = ({ receipts }: Status) => receipts.filter((receipt) => receipt.startsWith('f:'));

/** A reader may get the version before the last, unless it asks the leader. */
export function read(world: World, id: Id, rules: Rules): readonly { readonly rec: Rec | null; readonly how: string }[] {
  const now = { rec: world.kv[id]!, how: '' };
  return rules.leaderReads ? [now] : [now, { rec: world.old[id]!, how: ' as it was' }];
}

/**
 * Publishes a ticket. Message ids suppress copies of tickets in the queue, except a duplicate that is stored after they are
 * forgotten.
 */
export function publishTicket(world: World, id: Id, t: number, wake: boolean): readonly World[] {
  const isThere = world.queue.some((ticket) => ticket.id === id && ticket.t === t);
  const once = isThere ? world : addTicket(world, id, t, wake);
  return world.spare.duplicates > 0 ? [once, addTicket(spend(once, 'duplicates'), id, t, wake)] : [once];
}

function addTicket(world: World, id: Id, t: number, wake: boolean): World {
  const used = new Set([
    ...world.queue.map(({ q }) => q),
    ...world.kv.map((rec) => rec?.q),
    ...world.old.map((rec) => rec?.q),
    ...world.procs.flatMap(({ q, rec }) => [q, rec?.q]),
  ]);
  let q = 1;
  while (used.has(q)) q++;
  return { ...world, queue: [...world.queue, { q, id, t, wake, to: null, again: false }].sort((a, b) => a.q - b.q) };
}

export const assign = (world: World, q: number, to: string | null): World => ({
  ...world,
  queue: world.queue.map((ticket) => (ticket.q === q ? { ...ticket, to, again: ticket.again || to === null } : ticket)),
});

/** Acks by stream sequence, even if the message is delivered to another process by now. */
export const ack = (world: World, q: number): World => ({ ...world, queue: world.queue.filter((ticket) => ticket.q !== q) });

/** Tickets of a process that lets go of them are redelivered, unless another process has them: renewals go by sequence too. */
export function letGo(world: World, { name }: Proc): World {
  const other = (q: number) => world.procs.find((proc) => proc.name !== name && proc.pc !== 'idle' && proc.q === q)?.name ?? null;
  const queue = world.queue.map((ticket) => (ticket.to === name ? { ...ticket, to: other(ticket.q), again: true } : ticket));
  return { ...world, queue };
}

const byAge = (a: Event, b: Event) => a.to - b.to || (a.channel < b.channel ? -1 : 1) || a.seq - b.seq;

export function say(world: World, to: Id, steer: string): World {
  const said = [...world.said[to]!, steer];
  const event: Event = { to, channel: 'steering', seq: said.length };
  return { ...world, said: put(world.said, to, said), pending: [...world.pending, event].sort(byAge) };
}

export function appendStatus(world: World, id: Id, status: Status): World {
  const log = world.status[id]!;
  let next: World = { ...world, status: put(world.status, id, [...log, status]) };
  // A process may still report on a purged tree; the next collection removes that.
  if (world.purged) return next;
  const before = new Set(log.flatMap(({ receipts }) => receipts));
  for (const receipt of status.receipts) {
    const steer = receipt.slice(2);
    if (receipt.startsWith('f:') && before.has(receipt)) next = breaks(next, 'a steer has one final receipt');
    if (receipt.startsWith('a:') && before.has(`f:${steer}`)) next = breaks(next, 'nothing is accepted after its final receipt');
    before.add(receipt);
  }
  if (status.n === 0) return next;
  if (!world.committed[id]!.includes(JSON.stringify(status))) return breaks(next, 'a status is of a commit that holds');
  const last = log.findLast(({ n }) => n > 0)?.n ?? 0;
  return status.n === last + 1 ? next : breaks(next, 'statuses stand in the order of the commits, each once');
}

export function appendResult(world: World, id: Id, result: string): World {
  const next: World = { ...world, results: put(world.results, id, [...world.results[id]!, result]) };
  const told: World =
    id === 0
      ? next
      : {
          ...next,
          returned: [...world.returned, id],
          pending: [...world.pending, { to: 0, channel: 'result' as const, seq: world.returned.length + 1 }].sort(byAge),
        };
  if (world.purged) return told;
  if (world.results[id]!.length > 0) return breaks(told, 'a task has one result');
  return world.kv[id]?.result === result ? told : breaks(told, 'a result is of a commit that holds');
}
