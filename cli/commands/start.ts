/** `cox start`, and `cox` alone: hosts a node in this process and opens the prompt. */
import { z } from 'zod';
import { foldersOf } from '../../platform/folders.ts';
import { approvalHelp } from '../approval-help.ts';
import type { Run } from '../cli.ts';
import { drainNode } from '../drain.ts';
import { usageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { hostNode } from '../hosted-node.ts';
import { count, parseOptions } from '../parse-options.ts';
import { tenths } from '../render/progress.ts';
import { History } from '../repl/history.ts';
import { Repl } from '../repl/repl.ts';
import { withCrew, workspaceFor } from '../session.ts';

/** The operator is told about the drain after the prompt only if it takes longer than this (ms). */
const leaveMs = 1_000;

const Shape = z.object({ slots: count(1, 10_000).optional() });

export const run: Run = async (cli, _args, options) => {
  const { slots } = parseOptions(Shape, options);
  if (cli.global.json)
    throw usageError('The prompt has no --json.', 'Programs can use --json with cox run, dispatch, status, watch and others.');
  // Messages go to stderr before the prompt is open, and above the prompt afterwards.
  const shown: { repl: Repl | null } = { repl: null };
  const note = (text: string) => (shown.repl ? shown.repl.note(text) : cli.out.note(text));
  return withCrew(cli, { start: true, note }, async (joined) => {
    const node = await hostNode(cli, joined, { slots, onProgress: tenths(note), note });
    const workspace = workspaceFor(cli, joined);
    const { openPrimary } = await import('../../actors/primary/primary.ts');
    const { backends, roster } = node;
    const primary = openPrimary({ crew: joined.crew, backends, roster, workspace, log: joined.log });
    const repl = new Repl({
      crew: joined.crew,
      primary,
      helpWith: (lend) => approvalHelp(cli, joined.bus, { terminal: cli.out.stdout, lend }),
      menu: () => node.menu(),
      types: () => node.types(),
      workspace,
      history: new History(foldersOf(cli.env).state, note),
      input: cli.stdin,
      output: cli.out.stdout,
      paint: cli.out.paint.stdout,
      log: joined.log,
      env: cli.env,
    });
    shown.repl = repl;
    const release = cli.onSignal((signal) => (signal === 'SIGINT' ? repl.interrupt() : repl.leave()));
    const gone = () => repl.leave();
    cli.signal.addEventListener('abort', gone);
    let isGivenBack = false;
    try {
      // A Ctrl-C during the start came before this command took over the signals.
      cli.signal.throwIfAborted();
      await repl.run();
    } finally {
      repl.leave();
      cli.signal.removeEventListener('abort', gone);
      release();
      await primary.stop();
      shown.repl = null;
      isGivenBack = await drainNode(cli, { node, joined, patienceMs: leaveMs });
    }
    return isGivenBack ? exitCodes.ok : exitCodes.undrained;
  });
};
