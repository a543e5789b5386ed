/** Each condition of the charts of tasks in words: why it holds, and why it does not. An operator reads them beside an event. */

export interface GuardWords {
  readonly holds: string;
  readonly fails: string;
}

export const guardWords: Readonly<Record<string, GuardWords>> = {
  // Of the chart `sub-agent`.
  isInterruptible: {
    holds: 'no call is in flight that may have effects',
    fails: 'the call in flight may have effects, so it is left to finish',
  },
  interruptsNow: {
    holds: 'with urgency `now` it interrupts what is in flight',
    fails: 'only urgency `now` interrupts, and only where what is in flight may be broken off',
  },
  swapsNow: { holds: 'with `now` it breaks off the model call in flight', fails: 'only a swap with `now` breaks off a call' },
  isInDoubt: { holds: 'nobody knows whether the call in flight took effect', fails: 'no call is in doubt' },
  isHeld: { holds: 'the task is paused or has a question open', fails: 'it is not paused and has no question open' },
  isOvertaken: { holds: 'an urgent correction makes the remaining calls pointless', fails: 'no correction overtakes its calls' },
  isStuck: { holds: 'it keeps failing or repeating itself', fails: 'it has neither failed nor repeated itself too often' },
  isAsking: { holds: 'its call is a question to the operator', fails: 'its call is no question' },
  isGated: { holds: 'its call needs an approval', fails: 'its call needs no approval' },
  isUnseen: { holds: 'its call has not been previewed yet', fails: 'there is nothing to preview' },
  hasCall: { holds: 'the model has requested a call', fails: 'the model has requested no call' },
  isUnchecked: { holds: 'its answer has not been checked yet', fails: 'there is no answer to check' },
  isFinished: { holds: 'there is an answer and no correction waits', fails: 'there is no answer yet, or a correction waits' },
  hasProduced: { holds: 'what it had to produce is there', fails: 'something that it had to produce is missing' },
  wasTold: { holds: 'it was told once what is missing', fails: 'it has not been told yet that something is missing' },
  isAffordable: { holds: 'what is left of its money covers the worst case', fails: 'the worst case costs more than is left' },
  isUnmade: { holds: 'the step has made no request yet', fails: 'the step has made a request already' },
  isOutOfBudget: { holds: 'its steps or its money are used up', fails: 'it has steps and money left' },
  leavesDoubt: { holds: 'its call may have taken effect before it broke', fails: 'its call can have had no effect' },
  returnsCall: { holds: 'it is the call that is waited for', fails: 'no call with this id is waited for' },
  isOfCall: { holds: 'it is about the first of its calls', fails: 'it is not about the first of its calls' },
  doubtsCall: { holds: 'its call may have effects', fails: 'no call that may have effects is in flight' },
  allowsCall: { holds: 'the approval that is open is about this tool', fails: 'no approval about this tool is open' },
  answersDoubt: { holds: 'the question is whether this very call ran', fails: 'no question is open about whether a call ran' },
  answersStop: { holds: 'the answer `stop` ends it', fails: 'the open question does not take `stop`, or none is open' },
  isUnclear: {
    holds: 'words that neither allow nor deny are sent back',
    fails: 'no approval is open, so no words are unclear',
  },
  answersAboutCall: { holds: 'the open question is about a call', fails: 'no question about a call is open' },
  answersTryAgain: {
    holds: 'the answer `try again` goes on',
    fails: 'the open question does not take `try again`, or none is open',
  },
  answersWithHelp: { holds: 'it is stuck, and words help it on', fails: 'it has not asked for help' },
  answersQuestion: { holds: 'the question is open', fails: 'no question is open' },
  waitsForBudget: { holds: 'it has asked for steps or money', fails: 'it has not asked for steps or money' },
  waitsForHelp: { holds: 'it has asked for help', fails: 'it has not asked for help' },
  // Of the chart `supervisor`.
  isDrained: { holds: 'it is ending, and no sub-task runs any more', fails: 'it is not ending, or sub-tasks still run' },
  isEnding: { holds: 'its outcome is decided', fails: 'its outcome is not decided yet' },
  hasUnasked: { holds: 'a sub-task has failed and nobody was asked yet', fails: 'no failed sub-task waits for a decision' },
  isPaused: { holds: 'it is paused', fails: 'it is not paused' },
  waitsForOperator: { holds: 'the goal itself has a question open', fails: 'the goal itself has no question open' },
  topsUp: { holds: 'it adds US dollars', fails: 'a goal has no step limit: only US dollars top it up' },
  answersWithMoney: { holds: 'it has asked for money', fails: 'it has not asked for money' },
  isUnplanned: { holds: 'there is no plan yet', fails: 'there is a plan' },
  hasDoomed: { holds: 'a sub-task depends on one that failed', fails: 'no sub-task depends on one that failed' },
  hasReady: { holds: 'a sub-task can start', fails: 'no sub-task can start now' },
  hasRunning: { holds: 'sub-tasks are running', fails: 'no sub-task is running' },
  hasQuestion: { holds: 'a question is open', fails: 'no question is open' },
  reachesPlan: {
    holds: 'sub-tasks are not resolved yet, so it reaches them',
    fails: 'there is no sub-task left that it could reach',
  },
  changesPlan: { holds: 'the plan can be changed so', fails: 'the plan cannot be changed so now' },
  answersAboutNode: { holds: 'the open question is about a failed sub-task', fails: 'no question about a sub-task is open' },
};

export const wordsOfGuard = (name: string, holds: boolean): string | undefined => guardWords[name]?.[holds ? 'holds' : 'fails'];
