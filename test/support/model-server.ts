/**
 * An OpenAI-compatible chat server that the test controls: every request waits until the test says something, chunk by chunk.
 * (@copilotkit/aimock plays whole scripts, but steering is about the middle of a reply.)
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface WireMessage {
  readonly role: string;
  readonly content: string | null;
  readonly tool_calls?: readonly { id: string; function: { name: string; arguments: string } }[];
}

/** `cost`: US dollars, for a backend that reports the cost itself. */
interface WireUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly cost?: number;
}

/** A message with pictures has parts. */
const textOf = (content: unknown): string =>
  Array.isArray(content) ? content.map((part: { text?: string }) => part.text ?? '').join('\n') : String(content);

/** One model call in flight. */
export class ModelCall {
  readonly messages: readonly WireMessage[];
  readonly body: Record<string, unknown>;
  /** Resolves when the connection is gone: true if the client left before the reply was complete. */
  readonly closed: Promise<boolean>;
  readonly #response: ServerResponse;

  constructor(body: Record<string, unknown> & { messages: readonly WireMessage[] }, response: ServerResponse) {
    this.body = body;
    this.messages = body.messages;
    this.#response = response;
    this.closed = new Promise((resolve) => response.on('close', () => resolve(!response.writableFinished)));
  }

  /** The texts of all messages of a role, in order. */
  texts(role: string): string[] {
    return this.messages.filter((message) => message.role === role).map(({ content }) => textOf(content));
  }

  say(text: string): this {
    return this.#chunk({ content: text });
  }
  /** Thinks, as servers tell it that keep thoughts apart from the text. */
  think(text: string): this {
    return this.#chunk({ reasoning_content: text });
  }

  /** Ends the reply, with tool calls if there are any. `finish`: default `tool_calls` where there are calls, else `stop`. */
  end(
    calls: readonly { tool: string; args: unknown }[] = [],
    usage: WireUsage = { prompt_tokens: 10, completion_tokens: 5 },
    finish = calls.length > 0 ? 'tool_calls' : 'stop',
  ): void {
    if (calls.length > 0)
      this.#chunk({
        tool_calls: calls.map(({ tool, args }, index) => ({
          index,
          id: `c${index}`,
          type: 'function',
          function: { name: tool, arguments: JSON.stringify(args) },
        })),
      });
    this.#chunk({}, finish);
    this.#response.write(
      `data: ${JSON.stringify({ ...frame, choices: [], usage: { total_tokens: usage.prompt_tokens + usage.completion_tokens, ...usage } })}\n\n`,
    );
    this.#response.end('data: [DONE]\n\n');
  }

  reply(text: string): void {
    this.say(text).end();
  }
  call(tool: string, args: unknown): void {
    this.end([{ tool, args }]);
  }

  /** Says a text that the backend does not finish. */
  cutOff(text: string, finish = 'length'): void {
    this.say(text).end([], undefined, finish);
  }

  /** Replies with an HTTP error. */
  fail(status: number, message = 'scripted failure'): void {
    this.#response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify({ error: { message, type: 'scripted' } }));
  }

  /** Cuts the connection, in the middle of the reply or before it. */
  cut(): void {
    this.#response.destroy();
  }

  #chunk(delta: object, finish: string | null = null): this {
    if (!this.#response.headersSent) this.#response.writeHead(200, { 'content-type': 'text/event-stream' });
    this.#response.write(`data: ${JSON.stringify({ ...frame, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`);
    return this;
  }
}

const frame = { id: 'x', object: 'chat.completion.chunk', created: 0, model: 'scripted' };

export class ModelServer {
  readonly calls: ModelCall[] = [];
  readonly url: string;
  readonly #stop: () => Promise<void>;
  #waiting: { from: number; resolve: (call: ModelCall) => void; wants: (call: ModelCall) => boolean }[] = [];
  #taken = new Set<ModelCall>();
  #auto: ((call: ModelCall) => void) | null = null;

  private constructor(url: string, stop: () => Promise<void>) {
    this.url = url;
    this.#stop = stop;
  }

  static async start(): Promise<ModelServer> {
    let self: ModelServer | null = null;
    const server = createServer(
      (request, response) => void read(request).then((body) => self!.#arrive(new ModelCall(body, response))),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    self = new ModelServer(`http://127.0.0.1:${port}/v1`, async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    });
    return self;
  }

  /** Answers from now on every call that no test waits for. */
  answer(auto: (call: ModelCall) => void): void {
    this.#auto = auto;
    for (const call of this.calls.filter((it) => !this.#taken.has(it))) {
      this.#taken.add(call);
      auto(call);
    }
  }

  /** The next fitting call that nobody has taken yet; waits for one if there is none. */
  next(wants: (call: ModelCall) => boolean = () => true): Promise<ModelCall> {
    const there = this.calls.find((call) => !this.#taken.has(call) && wants(call));
    if (there) {
      this.#taken.add(there);
      return Promise.resolve(there);
    }
    return new Promise((resolve) => this.#waiting.push({ from: this.calls.length, resolve, wants }));
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  #arrive(call: ModelCall): void {
    this.calls.push(call);
    const waiting = this.#waiting.find(({ wants }) => wants(call));
    if (waiting) {
      this.#waiting = this.#waiting.filter((it) => it !== waiting);
      this.#taken.add(call);
      waiting.resolve(call);
    } else if (this.#auto) {
      this.#taken.add(call);
      this.#auto(call);
    }
  }
}

async function read(request: IncomingMessage) {
  let text = '';
  for await (const piece of request.setEncoding('utf8')) text += piece;
  return JSON.parse(text);
}
