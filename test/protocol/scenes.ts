/** Small worlds, each of which shows some of the rules at work. Each is explored exhaustively. */
import type { Scene } from './world.ts';

const plain: Scene = {
  name: '',
  tasks: [{ kind: 'agent' }],
  workers: ['any', 'any'],
  wakers: 1,
  sweeper: false,
  dispatchDies: false,
  steers: [],
  patient: false,
  answers: 'any',
  spare: {},
  mortal: null,
  troubleInCalls: false,
  gc: false,
};
const goal = { kind: 'supervisor' } as const;
const agent = { kind: 'agent' } as const;
const quick = { ...agent, quick: true } as const;

const list = {
  steered: {
    name: 'a task that waits for one of two steers, and a crash',
    tasks: [{ ...agent, asks: true }],
    steers: [
      [0, 's1'],
      [0, 's2'],
    ],
    spare: { crashes: 1 },
    workers: ['any'],
  },
  frozen: {
    name: 'a task that waits for a steer, a frozen worker and a crash',
    tasks: [{ ...agent, asks: true }],
    steers: [[0, 's1']],
    spare: { crashes: 1, redeliveries: 1 },
  },
  fenced: { name: 'a frozen worker, and a crash of its successor', spare: { crashes: 1, redeliveries: 1 } },
  crashed: { name: 'a call that writes, and a crash', tasks: [{ ...agent, writes: true }], spare: { crashes: 1, agains: 1 } },
  zombie: {
    name: 'a call that writes, and a frozen worker',
    tasks: [{ ...agent, writes: true }],
    spare: { redeliveries: 1, agains: 1 },
  },
  told: {
    name: 'a call that writes, a frozen worker, and an operator who never answers',
    tasks: [{ ...agent, writes: true }],
    spare: { redeliveries: 1 },
    answers: 'none',
  },
  both: {
    name: 'a call that writes, a steer and a crash',
    tasks: [{ ...agent, writes: true, asks: true }],
    steers: [[0, 's1']],
    spare: { crashes: 1 },
    workers: ['any'],
  },
  repeated: {
    name: 'a steer that is sent twice to a task that ends',
    steers: [
      [0, 's1'],
      [0, 's1'],
    ],
    spare: { crashes: 1 },
    wakers: 2,
    workers: ['any'],
  },
  repeatedLater: {
    name: 'a steer that is sent again behind another one to a task that ends',
    steers: [
      [0, 's1'],
      [0, 's2'],
      [0, 's1'],
    ],
    workers: ['any'],
  },
  late: {
    name: 'two steers that race the end of a task, and two wakers',
    steers: [
      [0, 's1'],
      [0, 's2'],
    ],
    wakers: 2,
    workers: ['any'],
  },
  duplicate: {
    name: 'a ticket that is stored twice, a steer and a crash',
    tasks: [{ ...agent, asks: true }],
    steers: [[0, 's1']],
    spare: { duplicates: 1 },
  },
  unheard: {
    name: 'lost replies and a frozen worker',
    tasks: [{ ...agent, writes: true }],
    spare: { replies: 1, redeliveries: 1 },
  },
  unheardBoth: {
    name: 'a goal and its sub-task that write in one batch, whose reply is lost',
    tasks: [goal, quick],
    spare: { replies: 2 },
  },
  dispatch: {
    name: 'a dispatcher that dies half-way and a ticket that is lost',
    dispatchDies: true,
    sweeper: true,
    spare: { losses: 1, crashes: 1 },
  },
  bad: {
    name: 'malformed steers to a task that waits',
    tasks: [{ ...agent, asks: true }],
    steers: [
      [0, 'x1'],
      [0, 'x2'],
      [0, 'x3'],
      [0, 's1'],
    ],
    workers: ['any'],
    patient: true,
  },
  poison: {
    name: 'a task that kills its workers',
    tasks: [{ ...agent, poison: true }],
    steers: [[0, 's1']],
    spare: { crashes: 6 },
    mortal: 0,
  },
  deadline: {
    name: 'a task that waits with a deadline, and a crash',
    tasks: [{ ...agent, asks: true, deadline: true }],
    spare: { crashes: 1 },
    workers: ['any'],
  },
  tree: { name: 'a goal with a sub-task, and a crash', tasks: [goal, agent], spare: { crashes: 1 } },
  attempts: { name: 'a sub-task that fails and is tried again', tasks: [goal, { ...agent, fails: true }, agent], spare: {} },
  cancel: {
    name: 'a goal that is cancelled, and a crash',
    tasks: [goal, { ...agent, endless: true }],
    steers: [[0, 'cancel']],
    spare: { crashes: 1 },
    mortal: 0,
    workers: ['supervisor', 'agent'],
  },
  alone: {
    name: 'a goal that is cancelled while its sub-task waits for a worker that never comes',
    tasks: [goal, agent],
    steers: [[0, 'cancel']],
    workers: ['supervisor'],
    wakers: 1,
  },
  refused: {
    name: 'a sub-task whose ticket is refused, and a crash',
    tasks: [goal, { ...agent, refused: true }, agent],
    spare: { crashes: 1 },
    mortal: 0,
    workers: ['any'],
  },
  slots: {
    name: 'a goal that is cancelled while its sub-task has the only slot',
    tasks: [goal, { ...agent, endless: true }],
    steers: [[0, 'cancel']],
    workers: ['pending', 'wake'],
  },
  early: { name: 'a steer to a sub-task that may not be planned yet', tasks: [goal, agent], steers: [[1, 's1']], wakers: 2 },
  unplanned: { name: 'a steer to a sub-task that is never planned', tasks: [goal, agent, agent], steers: [[2, 's1']] },
  orphan: {
    name: 'a goal that kills its workers, and its sub-task that waits',
    tasks: [
      { ...goal, poison: true },
      { ...agent, asks: true },
    ],
    workers: ['any'],
    sweeper: true,
    spare: { crashes: 5 },
    mortal: 0,
  },
  raced: {
    name: 'a sub-task that is claimed while its goal ends',
    tasks: [{ ...goal, poison: true }, agent],
    spare: { crashes: 5 },
    mortal: 0,
  },
  quick: {
    name: 'a task that ends at once, a frozen worker and a crash',
    tasks: [quick],
    steers: [[0, 's1']],
    spare: { crashes: 1, redeliveries: 1 },
  },
  quickChild: {
    name: 'a sub-task that ends at once, and a frozen worker',
    tasks: [goal, quick],
    spare: { redeliveries: 1 },
  },
  quickEarly: {
    name: 'a sub-task that ends at once, and a steer that may come too soon',
    tasks: [goal, quick],
    steers: [[1, 's1']],
  },
  quickCopy: {
    name: 'a ticket that is stored twice, of a task that ends at once, and a frozen worker',
    tasks: [quick],
    spare: { duplicates: 1, redeliveries: 1 },
  },
  takenBack: {
    name: 'a sub-task that is dropped before or after its start, and a crash',
    tasks: [goal, quick],
    steers: [[0, 'drop']],
    spare: { crashes: 1 },
    mortal: 0,
    workers: ['any'],
  },
  drained: {
    name: 'a worker that leaves, and a crash',
    spare: { drains: 1, crashes: 1 },
  },
  revived: {
    name: 'a server that is killed after a purge',
    workers: ['any'],
    sweeper: true,
    gc: true,
    spare: { kills: 1 },
  },
  gc: {
    name: 'a tree that is purged while a copy of a ticket remains',
    tasks: [goal, agent],
    spare: { duplicates: 1 },
    gc: true,
  },
} satisfies Record<string, Partial<Scene>>;

/** Explored on demand only: several things go wrong in one run. */
const large = {
  runs: {
    name: 'a call that is run again, and the loss of both runs',
    tasks: [{ ...agent, writes: true }],
    spare: { crashes: 1, redeliveries: 1, agains: 1 },
    answers: 'again first',
    troubleInCalls: true,
    workers: ['any', 'pending'],
  },
  effectLarge: {
    name: 'a call that writes, a frozen worker and a crash',
    tasks: [{ ...agent, writes: true }],
    spare: { crashes: 1, redeliveries: 1, agains: 1 },
  },
  bothLarge: {
    name: 'a call that writes, a steer and a crash, with two workers',
    tasks: [{ ...agent, writes: true, asks: true }],
    steers: [[0, 's1']],
    spare: { crashes: 1, agains: 1 },
  },
  steeredLarge: {
    name: 'a task that waits for one of two steers, and a frozen worker',
    tasks: [{ ...agent, asks: true }],
    steers: [
      [0, 's1'],
      [0, 's2'],
    ],
    spare: { redeliveries: 1 },
  },
  duplicateLarge: {
    name: 'a ticket that is stored twice, a steer and a crash',
    tasks: [{ ...agent, asks: true }],
    steers: [[0, 's1']],
    spare: { duplicates: 1, crashes: 1 },
  },
  raceLarge: {
    name: 'a sub-task whose goal dies, a frozen worker and a sweeper',
    tasks: [{ ...goal, poison: true }, agent],
    spare: { crashes: 4, redeliveries: 1 },
    mortal: 0,
    sweeper: true,
  },
} satisfies Record<string, Partial<Scene>>;

export type SceneName = keyof typeof list | keyof typeof large;
const filled = <Name extends string>(given: Record<Name, Partial<Scene>>) =>
  Object.fromEntries(Object.entries<Partial<Scene>>(given).map(([key, scene]) => [key, { ...plain, ...scene }])) as Readonly<
    Record<Name, Scene>
  >;

export const scenes = filled(list);
export const largeScenes = filled(large);
