/**
 * The outside world, which no crash of ours can undo: a process that is never killed counts what tools do there. A call stays
 * open until the test says how it ends.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { InDoubt } from '../../../actors/tools/tool.ts';

const Call = z.object({
  run: z.string(),
  task: z.string(),
  call: z.string(),
  tool: z.string(),
  args: z.record(z.string(), z.unknown()),
});

/** One call of a tool, as it arrived. It has happened, whatever becomes of its caller. */
export interface Effect extends z.infer<typeof Call> {
  /** True once the caller has gone without waiting for the end. */
  readonly isGone: () => boolean;
  returns(text: string): void;
  fails(message: string): void;
  /** Nobody knows whether it took effect. */
  doubts(): void;
}

export class Outside {
  readonly url: string;
  readonly #listeners = new Map<string, (effect: Effect) => void>();
  readonly #close: () => Promise<void>;

  private constructor(url: string, listeners: Map<string, (effect: Effect) => void>, close: () => Promise<void>) {
    this.url = url;
    this.#listeners = listeners;
    this.#close = close;
  }

  static async open(): Promise<Outside> {
    const listeners = new Map<string, (effect: Effect) => void>();
    const server = createServer((request, response) => {
      void arrived(request, response).then((effect) => listeners.get(effect.run)?.(effect));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return new Outside(`http://127.0.0.1:${port}`, listeners, async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    });
  }

  /** Listens to the effects of one run until it is stopped. */
  watch(run: string, listener: (effect: Effect) => void): { stop(): void } {
    this.#listeners.set(run, listener);
    return { stop: () => void this.#listeners.delete(run) };
  }

  stop(): Promise<void> {
    return this.#close();
  }
}

async function arrived(request: IncomingMessage, response: ServerResponse): Promise<Effect> {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) text += piece;
  const end = (status: number, body: string) => {
    if (!response.writableEnded) response.writeHead(status).end(body);
  };
  return {
    ...Call.parse(JSON.parse(text)),
    isGone: () => response.destroyed && !response.writableFinished,
    returns: (said) => end(200, said),
    fails: (message) => end(500, message),
    doubts: () => end(504, 'nobody knows whether it took effect'),
  };
}

/**
 * Makes a call from a tool in another process.
 * @throws Error with the words of the test, when it lets the call fail; InDoubt.
 */
export async function callOutside(url: string, call: z.infer<typeof Call>, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(call), signal });
  const said = await response.text();
  if (response.status === 504) throw new InDoubt(said);
  if (!response.ok) throw new Error(said);
  return said;
}
