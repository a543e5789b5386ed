/** Requests of the page to the server of the console. The session is in a cookie that scripts cannot read. */
import type {
  AccessReply,
  Order,
  OrderReply,
  Refusal,
  RosterEditReply,
  RosterEditRequest,
  SayReply,
  SessionReply,
} from '../wire.ts';

export class Refused extends Error {
  readonly code: string;
  readonly hint: string;
  constructor({ code, message, hint }: Refusal) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

const away: Refusal = {
  code: 'console-away',
  message: 'The console has ended, or this page cannot reach it',
  hint: 'Start it again in a terminal: cox console.',
};

async function call<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
  const sent = body && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
  const response = await fetch(path, { method, credentials: 'same-origin', ...sent }).catch(() => {
    throw new Refused(away);
  });
  const reply = response.status === 204 ? null : await response.json().catch(() => away);
  if (!response.ok) throw new Refused(reply as Refusal);
  return reply as T;
}

export const openSession = (token: string) => call<null>('POST', '/session', { token });
export const readSession = () => call<SessionReply>('GET', '/session');
export const unlock = () => call<SessionReply>('POST', '/unlock');
export const lock = () => call<SessionReply>('POST', '/lock');
export const nextAccess = (instead: string | null) => call<AccessReply>('POST', '/access', { instead });
export const sign = (nonce: string) => call<object>('POST', '/sign', { nonce });
export const order = <O extends Order>(it: O) => call<Extract<OrderReply, { kind: O['kind'] }>>('POST', '/order', it);
/** Shows an edit of the roster; with the hash of the file that was shown it writes it. */
export const editRoster = (request: RosterEditRequest) => call<RosterEditReply>('POST', '/roster', request);
export const sayLine = (text: string) => call<SayReply>('POST', '/say', { text });
