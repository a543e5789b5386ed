/**
 * The scenarios of the crash matrix. The model’s part is a function of the conversation, so that a repeated call gets the same
 * reply.
 */
import type { PlanTask } from '../../../bus/messages.ts';
import type { ModelCall } from '../../support/model-server.ts';
import type { Scenario, Stage } from './stage.ts';

const wordsOf = (call: ModelCall) => call.texts('user').join('\n');
const resultsIn = (call: ModelCall) => call.texts('tool').length;
const subjectOf = (call: ModelCall) => /Book (\w+)/.exec(wordsOf(call))?.[1] ?? '';
const isReduction = (call: ModelCall) => wordsOf(call).includes('Results:');

const task = ({ run }: Stage, key: string, more: Partial<PlanTask> = {}) => ({
  key,
  type: 'clerk',
  instruction: `Book ${key} #${run}`,
  backend: 'local',
  ...more,
});
const goal = (stage: Stage, tasks: object[]) =>
  stage.crew.dispatch({
    type: 'supervisor',
    instruction: `Keep the books #${stage.run}`,
    plan: { tasks: tasks as PlanTask[], reduce: { by: 'orchestrator', instruction: 'Say what is booked' } },
  });

/** Two sub-tasks side by side, with a question each, and a correction for both. */
const books: Scenario = {
  name: 'goal',
  async begin(stage) {
    const id = await goal(stage, [task(stage, 'apples'), task(stage, 'pears')]);
    stage.once('correct', () => stage.say('euros', { type: 'steer', text: 'in euros', urgency: 'next-step' }));
    return id;
  },
  model(call) {
    const what = subjectOf(call);
    const steps = [
      () => call.call('look', { what }),
      () => call.call('book', { what }),
      () => call.call('ask_operator', { question: `Is ${what} right?` }),
    ];
    if (isReduction(call)) call.reply('Both are booked.');
    else (steps[resultsIn(call)] ?? (() => call.reply(`${what} is booked`)))();
  },
  books: { apples: 1, pears: 1 },
};

/** One sub-agent with every sort of tool and every sort of steer. */
const desk: Scenario = {
  name: 'steered',
  begin: (stage) => stage.crew.dispatch({ type: 'clerk', instruction: `Book plums #${stage.run}`, backend: 'local' }),
  model(call, stage) {
    const what = subjectOf(call);
    const steps = [
      () => call.call('look', { what }),
      () => call.call('file', { what }),
      () => call.call('book', { what }),
      () => call.call('ask_operator', { question: `Is ${what} right?` }),
    ];
    const words = wordsOf(call);
    const next = steps[resultsIn(call)];
    if (next) next();
    else if (!words.includes('with a stamp')) {
      call.say('Hm');
      stage.once('pause', () => stage.say('pause', { type: 'pause' }));
    } else if (!words.includes('in euros')) {
      call.say('Well');
      stage.once('correct', async () => {
        await stage.say('file', { type: 'steer', text: 'and file it', urgency: 'after' });
        await stage.say('euros', { type: 'steer', text: 'in euros', urgency: 'now' });
      });
    } else call.reply(words.includes('and file it') ? 'Booked and filed' : 'Booked');
  },
  see({ paused }, stage) {
    if (!paused) return;
    stage.once('resume', async () => {
      await stage.say('stamp', { type: 'steer', text: 'with a stamp', urgency: 'next-step' });
      await stage.say('resume', { type: 'resume' });
    });
  },
  books: { plums: 1 },
};

/** A goal is cancelled while one sub-task thinks, one waits for an answer, and one has not begun. */
const tree: Scenario = {
  name: 'cancelled',
  begin: (stage) => goal(stage, [task(stage, 'figs'), task(stage, 'limes'), task(stage, 'nuts', { after: ['figs'] })]),
  model(call, stage) {
    const what = subjectOf(call);
    if (what === 'limes') return call.call('ask_operator', { question: 'Which limes?' });
    if (resultsIn(call) === 0) return call.call('book', { what });
    call.say('Working on it');
    stage.mark('thinks');
    cancelOnceBothWait(stage);
  },
  answer(_, __, stage) {
    stage.mark('asks');
    cancelOnceBothWait(stage);
    return null;
  },
  books: { figs: 1 },
};
function cancelOnceBothWait(stage: Stage): void {
  if (stage.has('thinks', 'asks')) stage.once('cancel', () => stage.say('cancel', { type: 'cancel' }));
}

/**
 * A task parks with a question and a distant deadline. A correction wakes it and leaves the question open; then the answer wakes
 * it.
 */
const parked: Scenario = {
  name: 'parked',
  begin: (stage) =>
    stage.crew.dispatch({
      type: 'clerk',
      instruction: `Book dates #${stage.run}`,
      backend: 'local',
      deadlineAt: new Date(Date.now() + 3_600_000).toISOString(),
    }),
  model(call) {
    const steps = [() => call.call('ask_operator', { question: 'Which dates?' }), () => call.call('book', { what: 'dates' })];
    const isCorrected = wordsOf(call).includes('in euros');
    (steps[resultsIn(call)] ?? (() => call.reply(isCorrected ? 'Booked in euros' : 'Booked')))();
  },
  answer({ id, kind }, _, stage) {
    if (kind === 'asked')
      stage.once('correct', () => stage.say('euros', { type: 'steer', text: 'in euros', urgency: 'next-step' }));
    stage.mark(id);
    return null;
  },
  see({ receipts, question }, stage) {
    if (receipts.some(({ steer }) => steer === 'euros') && question)
      stage.once('answer', () => stage.say('these', { type: 'answer', question: question.id, text: 'the ripe ones' }));
  },
  books: { dates: 1 },
};

/** A task parks with a question that nobody answers, until its deadline wakes it. */
const overdue: Scenario = {
  name: 'overdue',
  begin: (stage) =>
    stage.crew.dispatch({
      type: 'clerk',
      instruction: `Book grapes #${stage.run}`,
      backend: 'local',
      deadlineAt: new Date(Date.now() + 1_500).toISOString(),
    }),
  model: (call) => call.call('ask_operator', { question: 'Which grapes?' }),
  answer: () => null,
  books: {},
};

/** One sub-task is out of steps; the next one fails, is stopped and tried again, and is rerun during the reduction. */
const mended: Scenario = {
  name: 'mended',
  begin: (stage) => goal(stage, [task(stage, 'kiwis', { type: 'junior' }), task(stage, 'melons', { after: ['kiwis'] })]),
  model(call, stage) {
    const what = subjectOf(call);
    if (isReduction(call)) {
      if (stage.has('reran')) return call.reply('All is booked.');
      call.say('All');
      return stage.once('rerun', () => stage.say('rerun', { type: 'rerun', key: 'melons' }));
    }
    if (what === 'melons' && !stage.has('mended')) return call.fail(401);
    const steps = [() => call.call('look', { what }), () => call.call('book', { what })];
    (steps[resultsIn(call)] ?? (() => call.reply(`${what} is booked`)))();
  },
  answer({ id, kind, choices = [] }, _, stage) {
    if (kind === 'budget') return { type: 'budget', steps: 9 };
    const isOfGoal = choices.includes('retry');
    if (isOfGoal) stage.mark('mended');
    return { type: 'answer', question: id, text: isOfGoal ? 'retry' : 'stop' };
  },
  see({ receipts }, stage) {
    if (receipts.some(({ steer, fate }) => steer === 'rerun' && fate === 'applied')) stage.mark('reran');
  },
  books: { kiwis: 1, melons: 2 },
};

/** A sub-task answers at a length that no record holds, and the next one is given the answer. */
const long: Scenario = {
  name: 'long',
  begin: (stage) => goal(stage, [task(stage, 'words'), task(stage, 'cherries', { after: ['words'] })]),
  model(call) {
    const what = subjectOf(call);
    if (isReduction(call)) call.reply('words '.repeat(20_000));
    else if (what === 'words') call.reply('many words '.repeat(30_000));
    else if (resultsIn(call) === 0) call.call('book', { what });
    else call.reply(wordsOf(call).includes('read_artifact') ? 'booked, and there is more to read' : 'booked');
  },
  books: { cherries: 1 },
};

/** A task looks at a picture through a backend with a price, and is corrected while that backend looks again. */
const looked: Scenario = {
  name: 'looked',
  begin: (stage) => stage.crew.dispatch({ type: 'viewer', instruction: `Say what is in the picture #${stage.run}` }),
  model(call, stage) {
    const picture = 'test/actors/tools/vision/contact-form.png';
    if (call.body.model === 'model-of-eyes') {
      if (!wordsOf(call).includes('And the phone?')) return call.reply('A form.');
      call.say('It');
      return stage.once('correct', () => stage.say('email', { type: 'steer', text: 'only the email', urgency: 'now' }));
    }
    const isCorrected = wordsOf(call).includes('only the email');
    if (resultsIn(call) === 0) return call.call('look_at', { picture, question: `What is it? #${stage.run}` });
    if (!isCorrected) return call.call('look_at', { picture, question: `And the phone? #${stage.run}` });
    call.reply(call.texts('tool').join().includes('| A form.') ? 'A form with an email' : 'Nobody has looked');
  },
  books: {},
};

export const scenarios: readonly Scenario[] = [books, desk, tree, parked, overdue, mended, long, looked];
