/** `cox up`: a headless node. The first signal drains it, a second one stops it at once; tasks stay with the crew either way. */
import { z } from 'zod';
import type { Run } from '../cli.ts';
import { exitCodes } from '../exit-codes.ts';
import { hostNode } from '../host.ts';
import { count, list, parseOptions } from '../parse-options.ts';
import { withCrew } from '../session.ts';

const Shape = z.object({ types: list.optional(), slots: count(1, 10_000).optional() });

export const run: Run = async (cli, _args, options) => {
  const { types, slots } = parseOptions(Shape, options);
  return withCrew(cli, { start: true }, async (joined) => {
    const { progressBar } = await import('../../platform/progress.ts');
    const node = await hostNode(cli, joined, {
      types,
      slots,
      onProgress: progressBar(cli.out.stderr).onProgress,
      note: (text) => cli.out.note(text),
    });
    const draining = new AbortController();
    const stopping = new AbortController();
    const release = cli.onSignal(() => (draining.signal.aborted ? stopping : draining).abort());
    try {
      const { url } = joined.server;
      cli.out.answer({ node: node.name, server: url }, `${node.name} is up on ${url}; Ctrl-C drains it`);
      await aborted(draining.signal);
      cli.out.note('Draining: steps in flight are finished, the rest goes back to the crew. Again to stop at once.');
      await Promise.race([node.drain(), aborted(stopping.signal)]);
    } finally {
      release();
      await node.stop();
    }
    return exitCodes.ok;
  });
};

const aborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted
    ? Promise.resolve()
    : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
