/**
 * The world of the model: the bus, the processes on it, and the troubles that may come. A world is a value; steps make new ones.
 * There is no time: a frozen process takes no step, and a lease that expires is a redelivery. There are no nudges either: a nudge
 * only makes a process read earlier, and every process may read at any time, so every nudge may be lost.
 */

/** 0 is the task that is dispatched, n its nth child. */
export type Id = number;

/** A status message: its commit’s number and its receipts, `a:s1` for accepted and `f:s1` for a final one. */
export interface Status {
  readonly n: number;
  readonly receipts: readonly string[];
  /** It shows the question whether a call in doubt ran. */
  readonly asks: boolean;
}

/** The state record. `unborn` keeps the steers that were returned before the task existed. */
export interface Rec {
  /** The writer and the revision. */
  readonly by: string;
  readonly w: number;
  readonly phase: 'unborn' | 'ready' | 'held' | 'parked' | 'done';
  readonly epoch: number;
  readonly t: number;
  readonly q: number;
  readonly idle: number;
  readonly steeringCursor: number;
  readonly resultCursor: number;
  /** All steers that the task has ever taken, and those of them without a final receipt. */
  readonly seen: readonly string[];
  readonly inbox: readonly string[];
  /** The last steers that were returned before the task took them. */
  readonly known: readonly string[];
  readonly stage: 'new' | 'calling' | 'called' | 'working' | 'collecting' | 'dropping' | 'ending';
  readonly asks: boolean;
  /** Epoch of the claim under which the call in flight was started last. */
  readonly flight: number;
  readonly kids: number;
  /** Number of dispatches so far. */
  readonly attempt: number;
  readonly home: readonly Id[];
  readonly result: string | null;
  readonly n: number;
  /** Statuses that may not be on the log, and the length of the log without them. */
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
  known: [],
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
  /** The process that has it; null while no process has it. */
  readonly to: string | null;
  /** It was delivered before. */
  readonly again: boolean;
}

/** A message on `steering` or `result` that the waker has not acked. */
export interface Event {
  readonly to: Id;
  readonly channel: 'steering' | 'result';
  readonly seq: number;
}

/** A process between two operations on the bus: its place and its knowledge. */
export interface Proc {
  readonly name: string;
  readonly pc: string;
  readonly event?: Event;
  readonly id?: Id;
  readonly t?: number;
  readonly q?: number;
  readonly rec?: Rec | null;
  /** The record that it is going to write. */
  readonly next?: Rec;
  readonly onward?: string;
  /** Its place after it has reconciled its children. */
  readonly after?: string;
  /** How far it has read the steers and the results. */
  readonly upto?: number;
  readonly home?: number;
  /** While it flushes: the next status, and the length that it expects of the log. */
  readonly i?: number;
  readonly at?: number;
  /** Its ticket was delivered before. */
  readonly again?: boolean;
  /** Its claim is not written: its first commit will be the claim. `w` is the revision that it has read. */
  readonly tentative?: boolean;
  /** The parent’s process before it turned to a child that it takes back. */
  readonly back?: Proc;
  /** `restored`: another host started the call in flight. `returned`: the call has returned. */
  readonly restored?: boolean;
  readonly returned?: boolean;
  /** Number of dispatches that it has carried out, and whether it told its children to stop. */
  readonly dispatched?: number;
  readonly told?: boolean;
  readonly why?: string;
  /** For properties only: when it claimed the task, the parent had ended, or the tree was purged. */
  readonly orphan?: boolean;
  readonly tooLate?: boolean;
}

export interface World {
  readonly kv: readonly (Rec | null)[];
  /** The version before the last, which a read may return that misses the last write. */
  readonly old: readonly (Rec | null)[];
  /** The version before the last, which a killed server may restore. */
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
  /** Troubles that may still come. */
  readonly spare: Spare;
  /** Index of the next steer, and progress of the dispatch. */
  readonly sent: number;
  readonly dispatch: 'start' | 'half' | 'done' | 'crashed';
  readonly deadlinePassed: boolean;
  readonly purged: boolean;
  // From here on for properties only.
  readonly committed: readonly (readonly string[])[];
  /** A call may start: none has started, or the operator has allowed another run since. */
  readonly mayStart: readonly boolean[];
  /** 1 after a worker was lost or silent for too long, or after a failure of the bus. */
  readonly deaths: number;
  readonly broken: string | null;
}

export interface Spare {
  readonly crashes: number;
  /** Leases that expire although the worker lives. */
  readonly redeliveries: number;
  /** Replies that are lost after their writes were stored. */
  readonly replies: number;
  /** Tickets that are stored twice, after their message ids are forgotten. */
  readonly duplicates: number;
  /** Tickets that the queue loses. */
  readonly losses: number;
  /** Answers "run it again". */
  readonly agains: number;
  /** Workers that leave and release their tasks. */
  readonly drains: number;
  /** Servers that are killed after a purge. */
  readonly kills: number;
}

/** The behaviour of a task when it runs. */
export interface Task {
  readonly kind: 'agent' | 'supervisor';
  /** It makes one call of a tool that writes. */
  readonly writes?: boolean;
  /** It ends with its first commit. */
  readonly quick?: boolean;
  /** It waits for a steer before it ends. */
  readonly asks?: boolean;
  /** It goes on until it is told to stop. */
  readonly endless?: boolean;
  /** It kills every worker that runs it. */
  readonly poison?: boolean;
  readonly fails?: boolean;
  /** Its ticket is longer than the queue takes. */
  readonly refused?: boolean;
  readonly deadline?: boolean;
}

export interface Scene {
  readonly name: string;
  readonly tasks: readonly Task[];
  /** The tickets that each worker takes. */
  readonly workers: readonly ('any' | 'pending' | 'wake' | 'supervisor' | 'agent')[];
  readonly wakers: number;
  readonly sweeper: boolean;
  /** The dispatcher may die half-way. */
  readonly dispatchDies: boolean;
  /** Steers and their addressees: `s…` corrections, `x…` malformed messages, `cancel`. */
  readonly steers: readonly (readonly [to: Id, steer: string])[];
  /** The operator waits for the final receipt of a steer before the next one. */
  readonly patient: boolean;
  /** The answers that the operator may give when asked whether a call ran. */
  readonly answers: 'any' | 'again first' | 'none';
  readonly spare: Partial<Spare>;
  /** The task whose workers may crash; null for any. */
  readonly mortal: Id | null;
  /** Workers crash and freeze only during a call. */
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
