/** `cox console`: serves a page on loopback that shows the crew, until Ctrl-C. Starts the bus if none runs. */
import { z } from 'zod';
import type { Run } from '../cli.ts';
import { consoleLines } from '../console/console-lines.ts';
import { exitCodes } from '../exit-codes.ts';
import { count, parseOptions } from '../parse-options.ts';
import { rosterSource } from '../roster.ts';
import { withCrew } from '../session.ts';

const Shape = z.object({
  port: count(0, 65_535).default(0),
  open: z.boolean().default(true),
  websocket: z.string().optional(),
  credentials: z.string().optional(),
});

export const run: Run = async (cli, _args, options) => {
  const { port, open, websocket, credentials } = parseOptions(Shape, options);
  return withCrew(cli, { start: true }, async (joined) => {
    const told = Promise.withResolvers<void>();
    const release = cli.onSignal(() => told.resolve());
    try {
      cli.signal.throwIfAborted();
      const { openConsole } = await import('../console/open-console.ts');
      const isSeen = cli.out.stdout.isTTY === true && !cli.global.json;
      const opened = await openConsole(joined, {
        ...{ port, open: open && isSeen, websocket, credentials, cwd: cli.cwd, roster: () => rosterSource(cli, joined.folders) },
        note: (text) => cli.out.note(text),
      });
      try {
        cli.out.answer({ url: opened.url, link: opened.link }, consoleLines(opened));
        await told.promise;
        return exitCodes.ok;
      } finally {
        await opened.close();
      }
    } finally {
      release();
    }
  });
};
