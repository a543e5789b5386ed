/**
 * What the protocol is played with: the bus, the processes on it, and what may go wrong. A world is a value; steps make new ones.
 * Time does not exist: a frozen process is one that takes no step, a lease that passes is a redelivery. Nudges are left out, because
 * one that comes only makes a process read earlier, and every process may read at any time anyway; so every nudge may be lost.
 */

/** 0 is the task that is dispatched, n its nth child. */
export type Id = number;

/** A status message: the number of its commit and its receipts, `a:s1` for accepted, `f:s1` for a final one. */
export interface Status {
  readonly n: number;
  readonly receipts: readonly string[];
  /** It shows the question whether a call in doubt ran. */
  readonly asks: boolean;
}

/** The state record. `unborn` keeps what was returned to operators who wrote to a task that did not exist yet. */
export interface Rec {
  /** Who wrote it, and how often it was written: its revision. */
  readonly by: string;
  readonly w: number;
  readonly phase: 'unborn' | 'ready' | 'held' | 'parked' | 'done';
  readonly epoch: number;
  readonly t: number;
  readonly q: number;
  readonly idle: number;
  readonly steeringCursor: number;
  readonly resultCursor: number;
  /** Every steer ever taken, and those of them without a final receipt. */
  readonly seen: readonly string[];
  readonly inbox: readonly string[];
  readonly stage: 'new' | 'calling' | 'called' | 'working' | 'collecting' | 'dropping' | 'ending';
  readonly asks: boolean;
  /** The claim under which the call in flight was started last. */
  readonly flight: number;
  readonly kids: number;
  /** Dispatches so far. */
  readonly attempt: number;
  readonly home: readonly Id[];
  readonly result: string | null;
  readonly n: number;
  /** Statuses that may not be on the log, and how long the log was without them. */
  readonly out: readonly Status[];
  readonly seq: number;
}

export const blank: Rec = {
  by: 'op',
  w: 0,
  phase: 'ready',
  epoch: 0,
  t: 0,
  q: 0,
  idle: 0,
  steeringCursor: 0,
  resultCursor: 0,
  seen: [],
  inbox: [],
  stage: 'new',
  asks: false,
  flight: 0,
  kids: 0,
  attempt: 0,
  home: [],
  result: null,
  n: 0,
  out: [],
  seq: 0,
};

export interface Ticket {
  readonly q: number;
  readonly id: Id;
  readonly t: number;
  readonly wake: boolean;
  /** Name of the process it is delivered to; null while nobody has it. */
  readonly to: string | null;
  /** Somebody had it before. */
  readonly again: boolean;
}

/** A message on `steering` or `result` that the waker has not acked. */
export interface Event {
  readonly to: Id;
  readonly channel: 'steering' | 'result';
  readonly seq: number;
}

/** A process between two operations on the bus: where it is, and what it knows. */
export interface Proc {
  readonly name: string;
  readonly pc: string;
  readonly event?: Event;
  readonly id?: Id;
  readonly t?: number;
  readonly q?: number;
  readonly rec?: Rec | null;
  /** What it writes, decided already. */
  readonly next?: Rec;
  readonly onward?: string;
  /** Where it goes on after it has reconciled. */
  readonly after?: string;
  /** How far it has read. */
  readonly upto?: number;
  readonly home?: number;
  /** Of the statuses that it flushes: the next one, and how long it takes the log to be. */
  readonly i?: number;
  readonly at?: number;
  /** Its ticket was delivered before. */
  readonly again?: boolean;
  /** What it holds is not written: its first commit is to be the claim. `w` of its record is of what it has read. */
  readonly tentative?: boolean;
  /** As it was before it turned to a child that it takes back. */
  readonly back?: Proc;
  /** The call in flight was not started by this host; it has returned. */
  readonly restored?: boolean;
  readonly returned?: boolean;
  /** Dispatches it has made true, and whether it told its children to stop. */
  readonly dispatched?: number;
  readonly told?: boolean;
  readonly why?: string;
  /** Only for properties: the parent had ended, or the tree was purged, when it claimed the task. */
  readonly orphan?: boolean;
  readonly tooLate?: boolean;
}

export interface World {
  readonly kv: readonly (Rec | null)[];
  /** The version before, where reads may miss the last write. */
  readonly old: readonly (Rec | null)[];
  /** The version before, where a server that is killed may bring it back. */
  readonly left: readonly (Rec | null)[];
  readonly queue: readonly Ticket[];
  readonly said: readonly (readonly string[])[];
  readonly status: readonly (readonly Status[])[];
  readonly results: readonly (readonly string[])[];
  /** Children in the order of their results on the log. */
  readonly returned: readonly Id[];
  readonly pending: readonly Event[];
  readonly timers: readonly ('none' | 'set' | 'due')[];
  readonly procs: readonly Proc[];
  /** What may still go wrong. */
  readonly spare: Spare;
  /** Next of the scene's steers; how far the dispatch has come. */
  readonly sent: number;
  readonly dispatch: 'start' | 'half' | 'done' | 'crashed';
  readonly deadlinePassed: boolean;
  readonly purged: boolean;
  // Only for properties, from here.
  readonly committed: readonly (readonly string[])[];
  /** A call may be started: it never was, or the operator said so since. */
  readonly mayStart: readonly boolean[];
  /** 1 once a worker was lost or silent for too long, or the bus failed it. */
  readonly deaths: number;
  readonly broken: string | null;
}

export interface Spare {
  readonly crashes: number;
  /** Leases that pass although the worker lives. */
  readonly redeliveries: number;
  /** Replies that get lost, of writes that happened. */
  readonly replies: number;
  /** Tickets that are stored twice, past the memory for message ids. */
  readonly duplicates: number;
  /** Tickets that the queue loses. */
  readonly losses: number;
  /** Times the operator answers "run it again". */
  readonly agains: number;
  /** Workers that leave, and hand back what they hold. */
  readonly drains: number;
  /** Servers that are killed after a purge. */
  readonly kills: number;
}

/** What a task does when it runs. */
export interface Task {
  readonly kind: 'agent' | 'supervisor';
  /** It makes one call of a tool that writes. */
  readonly writes?: boolean;
  /** It ends by its first commit. */
  readonly quick?: boolean;
  /** It waits for a steer before it ends. */
  readonly asks?: boolean;
  /** It goes on until it is told to stop. */
  readonly endless?: boolean;
  /** It kills every worker that runs it. */
  readonly poison?: boolean;
  readonly fails?: boolean;
  readonly deadline?: boolean;
}

export interface Scene {
  readonly name: string;
  readonly tasks: readonly Task[];
  /** Which tickets each worker takes. */
  readonly workers: readonly ('any' | 'pending' | 'wake' | 'supervisor' | 'agent')[];
  readonly wakers: number;
  readonly sweeper: boolean;
  /** The dispatcher may die half way. */
  readonly dispatchDies: boolean;
  /** What operators send, to whom: `s…` corrections, `x…` what is no message, `cancel`. */
  readonly steers: readonly (readonly [to: Id, steer: string])[];
  /** The operator waits for the final receipt of one before the next. */
  readonly patient: boolean;
  /** What the operator may answer when asked whether a call ran. */
  readonly answers: 'any' | 'again first' | 'none';
  readonly spare: Partial<Spare>;
  /** The task whose workers may crash; null for any. */
  readonly mortal: Id | null;
  /** Workers crash and freeze while they make a call, and nowhere else. */
  readonly troubleInCalls: boolean;
  readonly gc: boolean;
}

const nothing: Spare = { crashes: 0, redeliveries: 0, replies: 0, duplicates: 0, losses: 0, agains: 0, drains: 0, kills: 0 };

export function worldOf(scene: Scene): World {
  const each = <T>(value: T) => scene.tasks.map(() => value);
  const names = [
    ...scene.workers.map((_, i) => `worker${i + 1}`),
    ...Array.from({ length: scene.wakers }, (_, i) => `waker${i + 1}`),
    ...(scene.sweeper ? ['sweeper'] : []),
    ...(scene.tasks.some(({ deadline }) => deadline) ? ['timers'] : []),
  ];
  return {
    kv: each(null),
    old: each(null),
    left: each(null),
    queue: [],
    said: each([]),
    status: each([]),
    results: each([]),
    returned: [],
    pending: [],
    timers: each('none'),
    procs: names.map((name) => ({ name, pc: 'idle' })),
    spare: { ...nothing, ...scene.spare },
    sent: 0,
    dispatch: 'start',
    deadlinePassed: false,
    purged: false,
    committed: each([]),
    mayStart: each(true),
    deaths: 0,
    broken: null,
  };
}

export const idle = ({ name }: Proc): Proc => ({ name, pc: 'idle' });
export const withProc = (world: World, proc: Proc): World => ({
  ...world,
  procs: world.procs.map((it) => (it.name === proc.name ? proc : it)),
});
export const spend = (world: World, what: keyof Spare): World => ({
  ...world,
  spare: { ...world.spare, [what]: world.spare[what] - 1 },
});
export const breaks = (world: World, property: string): World => ({ ...world, broken: world.broken ?? property });
export const put = <T>(list: readonly T[], at: number, value: T): T[] => list.map((it, i) => (i === at ? value : it));
