/** For every rule the scene that needs it, and the property that fails there without it. */
import type { Rule } from './rules.ts';
import type { SceneName } from './scenes.ts';

export type Ablation =
  | { readonly scene: SceneName; readonly breaks: string }
  /** Nothing fails without the rule; it is kept for this reason. */
  | { readonly scene: SceneName; readonly keptBecause: string };

const result = 'never: task 0 has a result';

export const ablations: Readonly<Record<Rule, Ablation>> = {
  stateBeforeTicket: { scene: 'deadline', breaks: result },
  planBeforeTicket: { scene: 'tree', breaks: result },
  dispatchAgain: { scene: 'tree', breaks: result },
  claimChecksTicket: { scene: 'tree', breaks: 'no other ticket takes a task from its worker' },
  claimChecksSequence: { scene: 'duplicate', breaks: 'no other ticket takes a task from its worker' },
  epochPerClaim: { scene: 'zombie', breaks: 'no effect is started twice unasked' },
  forestalledLooksAgain: {
    scene: 'quickCopy',
    keptBecause: 'the ticket comes again after the lease, and the look saves that wait',
  },
  leftToHolder: {
    scene: 'quick',
    keptBecause: 'its holder would lose it, the call in flight would be in doubt, and the operator would be asked',
  },
  redeliveredIsWritten: { scene: 'poison', breaks: result },
  releasedTicketGoesOn: { scene: 'drained', breaks: result },
  parkedTicketLooksAgain: { scene: 'deadline', breaks: result },
  doneTicketFlushes: { scene: 'deadline', breaks: 'never: the result of 0 is on the log' },
  sentAlone: { scene: 'steered', breaks: 'only what kills workers is taken for poison' },
  compareAndSet: { scene: 'zombie', breaks: 'no effect is started twice unasked' },
  uniqueWrites: { scene: 'zombie', breaks: 'a status is of a commit that holds' },
  leaderReads: { scene: 'deadline', breaks: result },
  dropsKnownSteers: { scene: 'repeated', breaks: 'a steer has one fate' },
  remembersLast: { scene: 'repeatedLater', breaks: 'a steer has one fate' },
  takenInOneCommit: { scene: 'steered', breaks: 'every steer to 0 has its final receipt' },
  flushExpectsLast: { scene: 'deadline', breaks: 'statuses stand in the order of the commits, each once' },
  flushSendsOnlyMissing: { scene: 'late', breaks: 'a steer has one final receipt' },
  resultAfterCommit: { scene: 'deadline', breaks: 'a result is of a commit that holds' },
  looksBeforeAck: {
    scene: 'frozen',
    keptBecause: 'the waker does the same, and the look saves its backoff of up to 5 s',
  },
  finalsAtTheEnd: { scene: 'late', breaks: 'every steer to 0 has its final receipt' },
  ackLast: { scene: 'deadline', breaks: 'never: the result of 0 is on the log' },
  fencedStaysSilent: { scene: 'fenced', breaks: result },
  wakerAcksOnlyCovered: { scene: 'unplanned', breaks: result },
  wakerWakesParked: { scene: 'tree', breaks: result },
  returnsLate: { scene: 'late', breaks: 'every steer to 0 has its final receipt' },
  lateDropsKnown: { scene: 'repeated', breaks: 'a steer has one fate' },
  tombstones: { scene: 'unplanned', breaks: 'every steer to 2 has its final receipt' },
  tombstoneIsRecord: { scene: 'early', breaks: 'nothing is accepted after its final receipt' },
  wakesReserved: { scene: 'slots', breaks: result },
  ownSlots: { scene: 'cancel', breaks: result },
  writeAheadAwaited: { scene: 'crashed', breaks: 'no effect is started twice unasked' },
  doubtAsks: { scene: 'crashed', breaks: 'no effect is started twice unasked' },
  epochReread: { scene: 'zombie', breaks: 'no effect is started twice unasked' },
  outcomeAnswers: { scene: 'told', breaks: result },
  outcomeOfItsRun: { scene: 'runs', breaks: 'no effect is started twice unasked' },
  doubtLasts: { scene: 'zombie', breaks: 'no effect is started twice unasked' },
  poison: { scene: 'poison', breaks: result },
  parkingIsNoDeath: { scene: 'bad', breaks: 'only what kills workers is taken for poison' },
  attemptIsNewTask: { scene: 'attempts', breaks: result },
  takesBack: { scene: 'takenBack', breaks: result },
  takenBackAtOnce: { scene: 'takenBack', breaks: 'what is taken back before it starts never runs' },
  refusedEnds: { scene: 'refused', breaks: result },
  endedIsFlushed: { scene: 'refused', breaks: result },
  cancelTakesBack: { scene: 'alone', breaks: result },
  tellAgain: { scene: 'cancel', breaks: result },
  cancelWaits: { scene: 'cancel', breaks: 'task 1 has a result' },
  claimLooksUp: { scene: 'raced', breaks: 'nothing runs that was claimed after its parent had ended' },
  claimChecksPlan: { scene: 'gc', breaks: 'a tree that is purged stays purged' },
  purgesWrittenTwice: { scene: 'revived', breaks: 'a tree that is purged stays purged' },
  sweepsReady: { scene: 'dispatch', breaks: result },
  sweepsHeld: { scene: 'dispatch', breaks: result },
  sweepsOrphans: { scene: 'orphan', breaks: 'never: task 1 has a result' },
  timerAgain: { scene: 'deadline', breaks: result },
};
