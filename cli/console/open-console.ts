/** Opens a console for a crew that this process has joined, and prints its link. Used by `cox console` and `cox up --console`. */
import type { CrewSession } from '../../actors/node/join.ts';
import { CoxError, messageOf } from '../../platform/errors.ts';
import { version } from '../../platform/version.ts';
import type { RosterSource } from '../../roster/find-roster.ts';
import { startConsoleServer } from './http-server.ts';
import { openLink } from './open-link.ts';
import { orderRelay } from './orders.ts';
import { accessesOf } from './page-access.ts';
import { pageFiles } from './page-files.ts';
import { editRoster } from './roster-edits.ts';
import { sayLine } from './say-line.ts';
import { type Clock, Sessions } from './sessions.ts';

export interface ConsoleOptions {
  /** 0: any free port. */
  readonly port: number;
  /** Whether to open the link in a browser. */
  readonly open: boolean;
  readonly websocket?: string | undefined;
  readonly credentials?: string | undefined;
  readonly cwd: string;
  /** The roster file that this process uses, which the page may edit. Default: none. */
  readonly roster?: () => Promise<RosterSource>;
  /** Receives messages for the operator. */
  readonly note: (text: string) => void;
  readonly clock?: Clock;
  /** See `accessMs` in page-access.ts. */
  readonly accessMs?: number;
}

export interface OpenConsole {
  readonly url: string;
  /** The one-time link. The token is in the fragment, which no browser sends to a server or writes into a Referer. */
  readonly link: string;
  /** Ends the sessions and the accesses of all pages. Idempotent. */
  close(): Promise<void>;
}

const noRoster = (): never => {
  throw new CoxError('roster-missing', 'This console has no roster file', { hint: 'Edit it where it is: cox roster edit.' });
};

/** @throws CoxError `port-taken`, `no-websocket`, `usage`, `bad-crew-file`. */
export async function openConsole(joined: CrewSession, options: ConsoleOptions): Promise<OpenConsole> {
  const { crew, bus, folders, server: at } = joined;
  const log = joined.log.child({ part: 'console' });
  const accesses = accessesOf(joined, options);
  const files = await pageFiles();
  const sessions = new Sessions(options.clock ?? Date);
  const ended = new AbortController();
  let forget = () => {};
  const server = await startConsoleServer({
    ...{ port: options.port, files, sessions, accesses, log },
    about: { version: version(), namespace: bus.subjects.namespace, server: at.url, embedded: at.embedded },
    relay: orderRelay(crew, ended.signal),
    roster: async (edit) => editRoster(await (options.roster ?? noRoster)(), folders.config, edit),
    say: (text) => sayLine(bus, text),
    onLink: (fate) => {
      forget();
      if (fate === 'void') options.note('Ten wrong links were tried at the console. It lets nobody in any more; start it again.');
    },
  });
  const link = `${server.url}#open=${sessions.token}`;
  if (options.open) forget = openLink(link, folders.state);
  let closing: Promise<void> | null = null;
  const close = async () => {
    ended.abort();
    forget();
    await server.stop();
    await accesses.close().catch((err) => log.warn({ err: messageOf(err) }, 'the accesses of pages end by themselves'));
  };
  return {
    url: server.url,
    link,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}
