/**
 * `cox run`: works on a goal, prints its answer on stdout, and shows the task tree on stderr meanwhile. The first Ctrl-C cancels
 * the goal and shows its findings; a second one leaves without waiting for that.
 */
import { z } from 'zod';
import type { Crew } from '../../bus/crew.ts';
import { noUsage, type PlanSpec, type Receipt, type Result } from '../../bus/messages.ts';
import { rootOf, type TaskId } from '../../bus/task-id.ts';
import { mayHost } from '../../bus/team/chores.ts';
import type { Progress } from '../../platform/asset.ts';
import { foldersOf } from '../../platform/folders.ts';
import { canAsk } from '../ask.ts';
import type { Cli, Run } from '../cli.ts';
import { drainNode } from '../drain.ts';
import { Interrupted, usageError } from '../errors.ts';
import { eventsOf } from '../events.ts';
import { exitCodes } from '../exit-codes.ts';
import { readGoal } from '../goal.ts';
import { GoalView } from '../goal-view.ts';
import { hostNode } from '../hosted-node.ts';
import { numbered } from '../inbox.ts';
import { checkBackend, checkType } from '../known-names.ts';
import { count, deadline, parseOptions } from '../parse-options.ts';
import { readPlan } from '../plan-file.ts';
import { statusLines } from '../render/events.ts';
import { inboxLines } from '../render/inbox.ts';
import { LiveTree } from '../render/live-tree.ts';
import { doneLines, endLine, salvageLines } from '../render/result.ts';
import { readRoster } from '../roster.ts';
import { type OnQuestion, RunQuestions } from '../run-questions.ts';
import { pointInTime, withCrew, workspaceFor } from '../session.ts';
import { withWholeOutput } from '../whole-output.ts';
import { exitOf } from './result.ts';

const Shape = z.object({
  deadline: deadline.optional(),
  slots: count(1, 10_000).optional(),
  plan: z.string().optional(),
  readOnly: z.boolean().optional(),
  onQuestion: z.enum(['wait', 'fail', 'deny'], 'expected wait, fail or deny').optional(),
});

export const run: Run = async (cli, words, options) => {
  const { deadline: minutes, slots, plan: planFile, onQuestion, readOnly } = parseOptions(Shape, options);
  const fromStdin = [words.length === 1 && words[0] === '-', planFile === '-', cli.global.roster === '-'].filter(Boolean).length;
  if (fromStdin > 1)
    throw usageError(
      'Stdin can be read only once.',
      'Of the goal, the plan and the roster, one may be `-`; name files for the rest.',
    );
  // A plan or roster that is read from the terminal has used up its input.
  const isAsked = canAsk(cli) && fromStdin === 0;
  const how = onQuestion ?? (isAsked ? 'ask' : 'fail');
  const instruction = await readGoal(words, cli.stdin);
  const plan = planFile === undefined ? null : await knownPlan(cli, planFile);
  const shown: { tree: LiveTree | null } = { tree: null };
  const note = (text: string) => (shown.tree ? shown.tree.print([text]) : cli.out.note(text));
  return withCrew(cli, { start: true, note }, async (joined) => {
    const { progressBar } = await import('../../platform/progress.ts');
    const bar = progressBar(cli.out.stderr);
    const onProgress = (progress: Progress) => (shown.tree ? shown.tree.progress(progress, bar) : bar.onProgress(progress));
    // An operator of a crew with roles may host nothing: the nodes of others work on the goal.
    const node = mayHost(joined.bus) ? await hostNode(cli, joined, { slots, onProgress, note }) : null;
    let code: number;
    let isGivenBack = false;
    try {
      const workspace = workspaceFor(cli, joined);
      const deadlineAt = pointInTime(joined, minutes);
      const id = await joined.crew.dispatch({
        ...{ type: 'supervisor', instruction, workspace, plan, deadlineAt },
        ...(readOnly && { approval: 'every-effect' }),
      });
      const view = new GoalView(joined.crew, id);
      shown.tree = new LiveTree(cli.out.stderr, cli.out.paint.stderr, () => view.nodes);
      code = await follow(cli, joined.crew, view, shown.tree, how);
    } finally {
      isGivenBack = node === null || (await drainNode(cli, { node, joined, patienceMs: 1_000 }));
    }
    return isGivenBack ? code : exitCodes.undrained;
  });
};

/** Reads a plan and checks its kinds and backends, before anything is started. */
async function knownPlan(cli: Cli, file: string): Promise<PlanSpec> {
  const plan = await readPlan(file);
  const name = file === '-' ? 'stdin' : file;
  const known = await readRoster(cli, foldersOf(cli.env));
  for (const { key, type, backend } of plan.tasks) {
    checkType(known, type, `${name}: ${key}: `);
    checkBackend(known, backend, `${name}: ${key}: `);
  }
  if (plan.reduce.by === 'backend') checkBackend(known, plan.reduce.backend, `${name}: reduce: `);
  return plan;
}

async function follow(cli: Cli, crew: Crew, view: GoalView, tree: LiveTree, how: OnQuestion): Promise<number> {
  const { id } = view;
  const leaving = new AbortController();
  const over = new AbortController();
  let interrupted: NodeJS.Signals | null = null;
  const interrupt = (signal: NodeJS.Signals) => {
    if (interrupted) return leaving.abort();
    interrupted = signal;
    tree.print([`Cancelling ${id} …  Ctrl-C again leaves without waiting.`]);
    void crew.steer(id, { type: 'cancel', reason: 'the operator pressed Ctrl-C' }).catch(() => leaving.abort());
  };
  const release = cli.onSignal(interrupt);
  const signal = AbortSignal.any([leaving.signal, over.signal, cli.signal]);
  const onInterrupt = () => interrupt('SIGINT');
  const questions = new RunQuestions({ cli, crew, view, tree, how, signal, onInterrupt });
  const done = untilDone({ cli, crew, view, tree, how, questions, signal });
  const ended = await Promise.race([done, questions.stalled]).finally(() => {
    over.abort();
    release();
    tree.stop();
  });
  if (ended === 'stalled') {
    await done.catch(() => {});
    return unanswered(cli, crew, view);
  }
  if (!ended) return leave(cli, id);
  await print(cli, crew, view, ended);
  return interrupted ? exitCodes.interrupted : exitOf(ended);
}

interface Following {
  readonly cli: Cli;
  readonly crew: Crew;
  readonly view: GoalView;
  readonly tree: LiveTree;
  readonly how: OnQuestion;
  readonly questions: RunQuestions;
  readonly signal: AbortSignal;
}

/** Resolves to the result, or to null if the operator left before the end. */
async function untilDone({ cli, crew, view, tree, how, questions, signal }: Following): Promise<Result | null> {
  const paint = cli.out.paint.stderr;
  const terminal = cli.out.stderr.isTTY === true;
  const detail = terminal ? 'news' : 'every step';
  const told = new Set<TaskId>();
  const changed = () => {
    tree.changed();
    questions.changed();
  };
  const reread = () => view.refresh().then(changed);
  for await (const event of eventsOf(crew, view.id, signal, reread)) {
    if (event.kind === 'live') continue;
    if (event.kind === 'status') {
      const { status } = event;
      // A question that is answered in place is shown there, and so are the receipts of its answers.
      const told = how === 'ask' ? { ...status, question: null, receipts: status.receipts.filter(isOther) } : status;
      const lines = statusLines(view.last(status.id), told, paint, { detail, answerWith: 'cox answer', inTree: terminal });
      tree.print(lines);
      if (view.apply(status)) void reread().catch((error) => cli.out.note(String(error)));
      changed();
      continue;
    }
    const result = await crew.peekResult(event.id);
    if (result?.id === view.id) {
      await view.refresh();
      return result;
    }
    // A node may publish a result twice. The log rejects the duplicate, but the event still arrives here.
    if (!result || terminal || told.has(result.id)) continue;
    told.add(result.id);
    tree.print([endLine(result, paint)]);
  }
  return null;
}

const isOther = ({ kind }: Receipt): boolean => !['answer', 'budget', 'allow'].includes(kind);

/** Says what is asked, and what becomes of the goal, which is neither cancelled nor answered for. */
async function unanswered(cli: Cli, crew: Crew, view: GoalView): Promise<number> {
  const { id } = view;
  const list = numbered(await crew.questions(rootOf(id)));
  await view.refresh();
  const paint = cli.out.paint.stderr;
  const words = { now: crew.bus.now(), answerWith: null, showWith: 'cox status' };
  const usage = view.nodes[0]?.usage ?? noUsage;
  cli.out.answer({ id, outcome: null, answer: null, questions: list, tasks: view.nodes, usage }, []);
  cli.out.note([
    `${id} cannot go on: it asks, and no operator is here (--on-question).`,
    ...inboxLines(list, paint, words),
    'It is kept with all that is done. Answer with cox inbox and cox answer; it goes on with the next cox or cox up, and',
    `cox result ${id} then prints its answer. cox cancel ${id} ends it.`,
  ]);
  return exitCodes.unanswered;
}

function leave(cli: Cli, id: TaskId): never {
  cli.out.note(
    `${id} continues on another node (start one with cox up). See cox status ${id}, cox result ${id}, cox cancel ${id}.`,
  );
  throw cli.signal.aborted ? cli.signal.reason : new Interrupted(exitCodes.interrupted);
}

async function print(cli: Cli, crew: Crew, view: GoalView, result: Result): Promise<void> {
  const { id, outcome, output: answer, whole, failure, salvage, effects, sources } = await withWholeOutput(cli, crew, result);
  // The usage of a goal includes its whole tree.
  cli.out.content(
    { id, outcome, answer, whole, failure, salvage, effects, sources, tasks: view.nodes, usage: result.usage },
    answer ?? '',
  );
  const { stderr: paint } = cli.out.paint;
  if (!cli.global.json) cli.out.note(outcome === 'completed' ? doneLines(result, paint) : salvageLines(result, paint));
}
