/** A network between a node and its server that can be bad in the ways that networks are. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';

type Weather =
  | { readonly kind: 'fair' }
  /** Every piece takes so long, one after the other. */
  | { readonly kind: 'late'; readonly ms: number }
  /** So few bytes at a time, a thousand times a second at most. */
  | { readonly kind: 'trickle'; readonly bytes: number };

export class TcpProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #target: number;
  readonly #links = new Set<Link>();
  #weather: Weather = { kind: 'fair' };

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (near) => {
      const link = new Link(near, connect(this.#target, '127.0.0.1'), () => this.#weather);
      this.#links.add(link);
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

  /** Every connection breaks; new ones are let through. */
  cut(): void {
    for (const link of this.#links) link.cut();
  }

  /** The connections of now stay open and nothing comes through any more, as when a router forgets them; new ones are let through. */
  forget(): void {
    for (const link of this.#links) link.forgotten = true;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }
}

class Link {
  forgotten = false;
  readonly #ends: readonly [Socket, Socket];

  constructor(near: Socket, far: Socket, weather: () => Weather) {
    this.#ends = [near, far];
    this.#carry(near, far, weather);
    this.#carry(far, near, weather);
    for (const end of this.#ends) {
      end.setNoDelay(true);
      end.on('error', () => this.cut());
      end.on('close', () => this.cut());
    }
  }

  cut(): void {
    for (const end of this.#ends) end.destroy();
  }

  #carry(from: Socket, to: Socket, weather: () => Weather): void {
    let carried = Promise.resolve();
    from.on('data', (piece: Buffer) => {
      from.pause();
      carried = carried.then(async () => {
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
