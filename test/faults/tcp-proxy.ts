/** A TCP proxy between a node and its server that fails as networks do. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';

type Weather =
  | { readonly kind: 'fair' }
  /** New connections are accepted, and nothing ever comes through them. */
  | { readonly kind: 'deaf' }
  /** Every chunk is delayed by `ms`, one after the other. */
  | { readonly kind: 'late'; readonly ms: number }
  /** `bytes` at a time, at most a thousand times a second. */
  | { readonly kind: 'trickle'; readonly bytes: number };

export class TcpProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #target: number;
  readonly #links = new Set<Link>();
  #weather: Weather = { kind: 'fair' };
  #ambush: Ambush | null = null;
  #dialled: () => void = () => {};

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (near) => {
      const link = new Link(near, connect(this.#target, '127.0.0.1'), {
        weather: () => this.#weather,
        passes: (piece) => this.#passes(piece),
      });
      this.#links.add(link);
      link.forgotten = this.#weather.kind === 'deaf';
      this.#dialled();
      near.once('close', () => this.#links.delete(link));
    });
  }

  static async start(target: number): Promise<TcpProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, target);
  }

  set weather(weather: Weather) {
    this.#weather = weather;
  }

  /** Resolves at the next connection. */
  dialled(): Promise<void> {
    return new Promise((resolve) => {
      this.#dialled = resolve;
    });
  }

  /** Breaks every connection; new ones are let through. */
  cut(): void {
    for (const link of this.#links) link.cut();
  }

  /** Silences the present connections without closing them, as a router does that forgets them; new ones are let through. */
  forget(): void {
    for (const link of this.#links) link.forgotten = true;
  }

  /**
   * Holds back the `nth` chunk to the server that contains `text` (`before`), or lets it through and holds back everything that
   * comes back from then on (`after`). Resolves when the chunk came, with a function that lets everything through: late, but in
   * order.
   */
  hold(text: RegExp, nth: number, when: 'before' | 'after'): Promise<() => void> {
    return new Promise((resolve) => {
      this.#ambush = { text, left: nth, when, sprung: resolve };
    });
  }

  #passes(piece: Buffer): { there: Promise<void>; back: Promise<void> | null } {
    const ambush = this.#ambush;
    const free = { there: Promise.resolve(), back: null };
    if (!ambush?.text.test(piece.toString('latin1')) || --ambush.left > 0) return free;
    this.#ambush = null;
    const { promise, resolve } = Promise.withResolvers<void>();
    ambush.sprung(resolve);
    return ambush.when === 'before' ? { there: promise, back: null } : { ...free, back: promise };
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }
}

interface Ambush {
  readonly text: RegExp;
  left: number;
  readonly when: 'before' | 'after';
  readonly sprung: (release: () => void) => void;
}

interface Road {
  weather(): Weather;
  /** When a chunk to the server may be passed on, and from when on anything may come back, unless at once. */
  passes(piece: Buffer): { there: Promise<void>; back: Promise<void> | null };
}

class Link {
  forgotten = false;
  #back: Promise<void> = Promise.resolve();
  readonly #ends: readonly [Socket, Socket];

  constructor(near: Socket, far: Socket, road: Road) {
    this.#ends = [near, far];
    this.#carry(near, far, road, (piece) => {
      const { there, back } = road.passes(piece);
      if (back) this.#back = back;
      return there;
    });
    this.#carry(far, near, road, () => this.#back);
    for (const end of this.#ends) {
      end.setNoDelay(true);
      end.on('error', () => this.cut());
      end.on('close', () => this.cut());
    }
  }

  cut(): void {
    for (const end of this.#ends) end.destroy();
  }

  #carry(from: Socket, to: Socket, { weather }: Road, gate: (piece: Buffer) => Promise<void>): void {
    let carried = Promise.resolve();
    from.on('data', (piece: Buffer) => {
      from.pause();
      const open = gate(piece);
      carried = carried.then(async () => {
        await open;
        for (const part of await this.#travelled(piece, weather())) {
          if (weather().kind === 'trickle') await after(1);
          if (!this.forgotten && to.writable) to.write(part);
        }
        from.resume();
      });
    });
  }

  async #travelled(piece: Buffer, weather: Weather): Promise<Buffer[]> {
    if (weather.kind === 'late') await after(weather.ms);
    if (weather.kind !== 'trickle') return [piece];
    return Array.from({ length: Math.ceil(piece.length / weather.bytes) }, (_, i) =>
      piece.subarray(i * weather.bytes, (i + 1) * weather.bytes),
    );
  }
}
