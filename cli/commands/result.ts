/** `cox result`: prints the final result of a task. */
import type { CrewSession } from '../../actors/node/join.ts';
import type { Crew } from '../../bus/crew.ts';
import type { Result, Status } from '../../bus/messages.ts';
import type { TaskId } from '../../bus/task-id.ts';
import { capacityTrouble } from '../capacity.ts';
import type { Cli, Run } from '../cli.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { oneLine } from '../render/printable.ts';
import { questionLines } from '../render/question.ts';
import { doneLines, salvageLines } from '../render/result.ts';
import { findTask, withCrew } from '../session.ts';
import { withWholeOutput } from '../whole-output.ts';

export const run: Run = async (cli, [ref = ''], options) =>
  withCrew(cli, { start: 'if stored' }, async (joined, isTemporary) => {
    const id = await findTask(joined.crew, ref);
    // Without a node the task does not go on, and this command alone keeps the server up: waiting would never end.
    const wait = options.wait !== false && !isTemporary;
    const trouble = wait ? await capacityTrouble(joined.bus) : null;
    if (wait) void tellIfNobodyWorks(cli, joined, id).catch(() => {});
    if (trouble?.isFull) cli.out.note(`${trouble.message} ${trouble.hint}`);
    const result = wait ? await waitFor(cli, joined.crew, id) : await joined.crew.peekResult(id);
    cli.signal.throwIfAborted();
    if (!result) {
      const status = await joined.crew.status(id);
      cli.out.answer({ id, outcome: null, output: null, state: status?.state ?? 'idle' }, []);
      const next = isTemporary ? ' It goes on with the next cox or cox up.' : '';
      cli.out.note(`${id} has no result yet: it is ${oneLine(status?.state ?? 'waiting for a worker')}.${next}`);
      return exitCodes.notDone;
    }
    const whole = await withWholeOutput(cli, joined.crew, result);
    cli.out.content(whole, whole.output ?? '');
    const { stderr: paint } = cli.out.paint;
    if (!cli.global.json) cli.out.note(result.outcome === 'completed' ? doneLines(result, paint) : salvageLines(result, paint));
    return exitOf(result);
  });

async function tellIfNobodyWorks(cli: Cli, { bus, crew }: CrewSession, id: TaskId): Promise<void> {
  const { nodesOf } = await import('../../bus/nodes.ts');
  for await (const _ of nodesOf(bus)) return;
  if (!(await crew.peekResult(id))) cli.out.note(`No node is up: ${id} goes on with the next cox or cox up.`);
}

/** Waits for the result. The task may itself wait for an answer, so its questions are printed on stderr. */
async function waitFor(cli: Cli, crew: Crew, id: TaskId): Promise<Result> {
  const there = new AbortController();
  const told = new Set<string>();
  const tell = (status: Status | null) => {
    const question = status?.id === id && !status.outcome ? status.question : null;
    if (!question || told.has(question.id)) return;
    told.add(question.id);
    cli.out.note(questionLines(id, question, cli.out.paint.stderr, 'cox answer'));
  };
  const follow = async () => {
    const events = crew.watch(id, there.signal);
    const first = events.next();
    tell(await crew.status(id));
    for (let event = await first; !event.done; event = await events.next())
      if (event.value.kind === 'status') tell(event.value.status);
  };
  const following = follow().catch(() => {});
  try {
    return await crew.awaitResult(id, cli.signal);
  } finally {
    there.abort();
    await following;
  }
}

export const exitOf = ({ outcome }: Pick<Result, 'outcome'>): ExitCode =>
  outcome === 'completed' ? exitCodes.ok : outcome === 'failed' ? exitCodes.failed : exitCodes.cancelled;
