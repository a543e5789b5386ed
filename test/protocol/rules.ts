/** The rules of the task protocol, each of which can be taken out of the model. The numbers are the lines of the protocol. */

export const rules = {
  stateBeforeTicket: '1. the state is created before its ticket is published',
  planBeforeTicket: '1. a child is dispatched only when its number is in a commit of the parent',
  dispatchAgain: '1. on resume every planned child is dispatched again',
  claimChecksTicket: '2. only ticket t + 1 claims a task that is ready or parked',
  claimChecksSequence: '2. a held task is claimed again only by the message that it is held by',
  epochPerClaim: '2. every claim counts up the epoch, a redelivery too',
  parkedTicketLooksAgain: '2. a ticket whose run has parked is flushed and looked after once more before its ack',
  doneTicketFlushes: '2. a ticket whose run is done is flushed once more before its ack',
  compareAndSet: '2. every state write is a compare-and-set',
  uniqueWrites: '2. a writer recognises its own write by an id that no other write has',
  leaderReads: '2. reads that decide see every write that was acknowledged',
  dropsKnownSteers: '3. a steer with a known id is dropped',
  takenInOneCommit: '4. the commit that moves the cursor past a steer has it in the inbox',
  flushExpectsLast: '5. a status names the one before as expected',
  flushSendsOnlyMissing: '5. on a mismatch only what is newer than the last status on the log is sent',
  resultAfterCommit: '5. the result is published after the commit that has it',
  looksBeforeAck: '6. a task that parks reads its inbox once more before the ack',
  finalsAtTheEnd: '7. the last commit has a final receipt for everything in the inbox',
  ackLast: '7. the ack comes after the flush',
  fencedStaysSilent: '7. who loses a compare-and-set neither acks nor naks',
  wakerAcksOnlyCovered: '8. the waker acks only what the state covers',
  wakerWakesParked: '8. the waker publishes a wake for a parked task with something unread',
  returnsLate: '8. what comes after the end is returned',
  lateDropsKnown: '8. what comes after the end is returned unless its id is known, also to the machine',
  tombstones: '8. a steer to a task that is neither there nor planned is returned',
  tombstoneIsRecord: '8. … by a state record, which the claim of the task takes over',
  wakesReserved: '9. wakes have slots of their own',
  ownSlots: '9. supervisors have slots of their own',
  writeAheadAwaited: '10. a call starts after the commit that names it',
  doubtAsks: '10. a call that was in flight when its worker was lost is not run again unasked',
  epochReread: '10. the epoch is read again before a call starts',
  doubtLasts: '10. "run it again" is not taken while the lost worker may still start the call',
  poison: '12. claims that come to nothing are counted, and too many end the task',
  parkingIsNoDeath: '12. a claim that parks is not counted: its worker lived',
  attemptIsNewTask: '13. a retry is a new child',
  tellAgain: '14. on resume children that are to stop are told again',
  cancelWaits: '14. a parent ends after the children that it told to stop',
  claimLooksUp: '14. a claim stops when the parent has a result or is gone, the first claim of a child too',
  claimChecksPlan: '15. a ticket without state starts nothing unless a live parent has planned it',
  sweepsReady: '16. a ready task without a ticket gets one',
  sweepsHeld: '16. a held task whose ticket is gone gets a new one',
  sweepsOrphans: '16. a task whose parent has ended is told to stop',
  timerAgain: '6. the timer of a parked task is set before the ack, by a redelivered ticket too',
} as const;

export type Rule = keyof typeof rules;
export type Rules = Readonly<Record<Rule, boolean>>;

export const without = (...off: readonly Rule[]): Rules =>
  Object.fromEntries(Object.keys(rules).map((rule) => [rule, !off.includes(rule as Rule)])) as Rules;
