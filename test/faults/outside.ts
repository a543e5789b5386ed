/** The outside world of the tests: it counts what tools did, and answers them when the test says so. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Deed {
  /** The thing that was booked. */
  readonly what: string;
  /** Lets the tool return. The deed is done already. */
  answer(): void;
}

export class Outside {
  /** All deeds so far, in order. */
  readonly deeds: string[] = [];
  readonly url: string;
  readonly #stop: () => Promise<void>;
  readonly #open: Deed[] = [];
  #waiting: ((deed: Deed) => void)[] = [];
  #answersAtOnce = false;

  private constructor(url: string, stop: () => Promise<void>) {
    this.url = url;
    this.#stop = stop;
  }

  static async start(): Promise<Outside> {
    let self: Outside | null = null;
    const server = createServer((request, response) => self!.#do(decodeURIComponent(request.url?.slice(1) ?? ''), response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    self = new Outside(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    });
    return self;
  }

  /** The next deed that no test has taken yet; it waits for its answer. */
  next(): Promise<Deed> {
    const there = this.#open.shift();
    return there ? Promise.resolve(there) : new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** From now on every deed is answered at once. */
  answerAtOnce(): void {
    this.#answersAtOnce = true;
    for (const deed of this.#open.splice(0)) deed.answer();
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  #do(what: string, response: ServerResponse): void {
    this.deeds.push(what);
    const deed = { what, answer: () => void response.end() };
    const waiting = this.#waiting.shift();
    if (waiting) waiting(deed);
    else if (this.#answersAtOnce) deed.answer();
    else this.#open.push(deed);
  }
}
