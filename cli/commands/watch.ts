/** `cox watch`: prints events as they happen, until the watched task ends or is removed, the bus is away for good, or Ctrl-C. */
import { untilAway } from '../../bus/away.ts';
import type { Result, Status } from '../../bus/messages.ts';
import { capacityTrouble } from '../capacity.ts';
import type { Run } from '../cli.ts';
import { eventsOf } from '../events.ts';
import { exitCodes } from '../exit-codes.ts';
import { liveLines, resultLines, statusLines } from '../render/events.ts';
import { findTask, withCrew } from '../session.ts';
import { exitOf } from './result.ts';

export const run: Run = async (cli, [ref], options) =>
  withCrew(cli, { start: false }, async ({ crew, bus }) => {
    const trouble = await capacityTrouble(bus);
    if (trouble) cli.out.note(`${trouble.message} ${trouble.hint}`);
    const id = ref === undefined ? null : await findTask(crew, ref);
    const paint = cli.out.paint.stdout;
    const last = new Map<string, Status>();
    const told = new Set<string>();
    const say = (event: object, lines: readonly string[]) => {
      if (cli.global.json || lines.length > 0) cli.out.answer(event, lines);
    };
    const sayResult = (result: Result) => say({ kind: 'result', result }, resultLines(result, paint, false));
    const sayStatus = (status: Status) => {
      const lines = statusLines(last.get(status.id) ?? null, status, paint, { detail: 'every step', answerWith: 'cox answer' });
      last.set(status.id, status);
      say({ kind: 'status', status }, lines);
    };
    // A task that ended before the subscription sends no more events, so its result is read once.
    const early: { result: Result | null } = { result: null };
    const started = async () => {
      if (id === null) return;
      early.result = await crew.peekResult(id);
      const status = await crew.status(id);
      if (status) sayStatus(status);
    };
    const stopped = new AbortController();
    const ending = AbortSignal.any([cli.signal, stopped.signal]);
    /** Nothing more can come: the task was removed, or the bus is away for good. */
    let lost: unknown = null;
    const whileThere = id === null ? untilAway(bus, ending) : crew.awaitResult(id, ending);
    const looking = whileThere.catch((cause: unknown) => {
      if (ending.aborted) return;
      lost = cause;
      stopped.abort();
    });
    const events = eventsOf(crew, id, ending, async () => {
      await started();
      if (early.result) stopped.abort();
    });
    try {
      for await (const event of events) {
        if (event.kind === 'live' && (options.tokens === true || event.live.type === 'tool'))
          say(event, liveLines(event.id, event.live, paint));
        if (event.kind === 'status') sayStatus(event.status);
        if (event.kind !== 'result') continue;
        const result = told.has(event.id) ? null : await crew.peekResult(event.id);
        if (!result) continue;
        // A node may publish a result twice. The log rejects the duplicate, but the event still arrives here.
        told.add(event.id);
        sayResult(result);
        if (result.id === id) return exitOf(result);
      }
    } finally {
      stopped.abort();
      await looking;
    }
    cli.signal.throwIfAborted();
    if (lost) throw lost;
    if (!early.result) return exitCodes.ok;
    sayResult(early.result);
    return exitOf(early.result);
  });
