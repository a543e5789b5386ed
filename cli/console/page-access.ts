/**
 * The logins of the pages of a console at the bus (docs/adr/0044). At the embedded server each access is a user of its own that
 * ends by itself. At a server of others the page is a member with the role `console`, whose key stays here: the console signs
 * challenges.
 */
import { resolve } from 'node:path';
import type { CrewSession } from '../../actors/node/join.ts';
import { PageUsers } from '../../bus/embedded/page-users.ts';
import { pageConnection } from '../../bus/embedded/server-clients.ts';
import type { Signed } from '../../bus/page-connection.ts';
import { MemberFile, readCrewFile } from '../../bus/team/crew-file.ts';
import { addressOf } from '../../bus/team/login.ts';
import { isBrowserOnly } from '../../bus/team/roles.ts';
import { usageError } from '../errors.ts';
import type { AccessReply } from './wire.ts';

/** An access ends after this time in ms; the page gets the next one before. */
export const accessMs = 15 * 60_000;
/** More pages than this at once (tabs that were not closed, or a page that asks again and again) lose the oldest access. */
const mostAccesses = 32;
/** Time in ms for which an access lasts after the next one was given out. */
const overlapMs = 20_000;

export interface Accesses {
  /** Origin of the WebSocket, for the Content-Security-Policy. */
  url(): string;
  /** @param instead the member of the access that this one replaces. */
  next(instead: string | null): Promise<AccessReply>;
  sign(nonce: string): Signed;
  /** Ends every access. */
  close(): Promise<void>;
}

export interface NamedAccess {
  readonly websocket?: string | undefined;
  readonly credentials?: string | undefined;
  readonly cwd: string;
  readonly accessMs?: number;
}

/** @throws CoxError `no-websocket`, `usage`, `bad-crew-file`. */
export function accessesOf(joined: CrewSession, named: NamedAccess): Accesses {
  if (joined.server.embedded) return embeddedAccesses(joined, named.accessMs ?? accessMs);
  return memberAccesses(joined, named);
}

function embeddedAccesses({ folders, bus }: CrewSession, ttlMs: number): Accesses {
  const users = new PageUsers(folders, bus.subjects);
  const { namespace } = bus.subjects;
  const mine: string[] = [];
  // An error of a server without a WebSocket comes before a link is shown. While a server is started again there is no address.
  let last = users.url();
  const lastUrl = () => {
    try {
      last = users.url();
    } catch {}
    return last;
  };
  /** A page that got no reply asks again, so an access may have been replaced twice. */
  const leave = (name: string) => {
    const at = mine.indexOf(name);
    if (at >= 0) users.remove(mine.splice(at, 1)).catch(() => {});
  };
  return {
    url: lastUrl,
    next: async (instead) => {
      const tooMany = mine.splice(0, Math.max(0, mine.length - mostAccesses + 1));
      const { url, user, password, expiresAt } = await users.add(ttlMs, tooMany);
      // The page moves from one connection to the next, so the earlier user stays for a moment.
      if (instead !== null && mine.includes(instead)) setTimeout(() => leave(instead), overlapMs).unref();
      mine.push(user);
      const login = { user, pass: password };
      return { url, member: user, namespace, connectionName: `${pageConnection} ${user}`, login, expiresAt };
    },
    sign: () => ({}),
    close: () => users.remove(mine),
  };
}

function memberAccesses({ bus }: CrewSession, { websocket, credentials, cwd }: NamedAccess): Accesses {
  if (!websocket || !credentials)
    throw usageError(
      `The page of a console reads at the server of NATS_URL by itself, so it needs ${websocket ? '--credentials' : '--websocket'}.`,
      'Enable `websocket` in the configuration of that server; let the keeper make a member for the page: ' +
        'cox crew invite <name> --roles console; then: cox console --websocket wss://<host>:<port> --credentials <its file>.',
    );
  const url = websocketUrl(websocket);
  const member = readCrewFile(MemberFile, resolve(cwd, credentials))!;
  const roles = member.list.members.find(({ name }) => name === member.name)?.roles ?? [];
  if (!isBrowserOnly(roles) || roles.length === 0)
    throw usageError(
      `${credentials} is the file of ${member.name}, whose roles are ${roles.join(', ') || 'not known'}, not console alone.`,
      'A page gets no key that can write: cox crew invite <name> --roles console.',
    );
  const { namespace } = bus.subjects;
  if (member.namespace !== namespace)
    throw usageError(
      `${credentials} is of the crew ${member.namespace}, and this is ${namespace}.`,
      'Name a file of this crew, or the other crew with --namespace.',
    );
  const { authenticator } = addressOf(member, { NATS_URL: url });
  return {
    url: () => url,
    next: async () => ({
      ...{ url, member: member.name, namespace, connectionName: `${pageConnection} ${member.name}` },
      ...{ login: null, expiresAt: null },
    }),
    sign: (nonce) => authenticator!(nonce) ?? {},
    close: async () => {},
  };
}

function websocketUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url && /^wss?:$/.test(url.protocol) && !url.username)
    return `${url.protocol}//${url.host}${url.pathname.replace(/\/$/, '')}`;
  throw usageError('--websocket is no address of a WebSocket.', 'Write it as wss://host:port, or ws://127.0.0.1:port.');
}
