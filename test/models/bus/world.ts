/** All that is outside of a task, controlled by the test: a model, tools, and nodes that can be lost. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Kind } from '../../../actors/kinds/kind.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import { type CoxNode, startNode } from '../../../actors/node/node.ts';
import {
  defineTool,
  InDoubt,
  Outdated,
  type Tool,
  type ToolContext,
  type ToolOutput,
  type ToolPreview,
} from '../../../actors/tools/tool.ts';
import type { Bus } from '../../../bus/bus.ts';
import { Crew } from '../../../bus/crew.ts';
import { openBus } from '../../../bus/open-bus.ts';
import { retryRequest } from '../../../bus/retry.ts';
import { goalOf } from '../../../bus/task-id.ts';
import type { Effects } from '../../../machines/conversation.ts';
import { parseRoster } from '../../../roster/load.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { input } from '../sub-agent/alphabet.ts';
import { Bystander } from './bystander.ts';

/** Lease in ms. */
const leaseMs = 1_000;
export const type = 'agent';

/** A crew of its own on the server, with at most one node at a time. */
export interface Place {
  readonly bus: Bus;
  readonly crew: Crew;
  /** Watches one task, or a goal with all its sub-tasks. @param tag `#…`, which stands in every instruction. */
  bystander(tag: string, id: string): Bystander;
  /** Starts another node. The present one, if any, loses its connection without a goodbye. */
  replaceNode(): Promise<void>;
  /** Makes tools that still run here return. Idempotent. */
  stop(): Promise<void>;
}

const roster = (url: string) =>
  parseRoster(
    `backends:
  local: { base_url: "${url}", model: model-of-local, tier: local, good_at: [all], can_orchestrate: true, concurrency: 1000 }
  other: { base_url: "${url}", model: model-of-other, tier: local, good_at: [all], can_orchestrate: true, concurrency: 1000 }
agents: {}
tools: { gated: [pay] }
limits: { retries: 0, breaker_failures: 1000 }
`,
    '/roster.yaml',
  );

export class World {
  readonly #crew: TestCrew;
  readonly #driver: CrewSession;
  readonly #kind: Kind;
  readonly #byTag = new Map<string, Bystander>();
  readonly #byId = new Map<string, Bystander>();
  readonly #places: Place[] = [];
  readonly #watches = new AbortController();
  #names = 0;

  private constructor(crew: TestCrew, driver: CrewSession) {
    this.#crew = crew;
    this.#driver = driver;
    const tools = (Object.entries(effectsOf) as [string, Effects][]).map(([name, effects]) => this.#tool(name, effects));
    const { steps, failures, repeats, costUsd } = input.limits;
    void this.#ringOnReconnect();
    this.#kind = { name: type, prompt: 'You do it.', tools, needs: [], limits: { steps, failures, repeats, costUsd } };
    crew.model.answer((call) => {
      const [tag = ''] = /#\w+/.exec(call.texts('user').join('\n')) ?? [];
      this.#byTag.get(tag)?.thinks(call);
    });
  }

  static async open(): Promise<World> {
    const crew = await testCrew();
    return new World(crew, await crew.join('driver'));
  }

  /** @param namespace Separates the streams of this place from those of others. */
  async place(namespace: string): Promise<Place> {
    const { nc: connection, log } = this.#driver.bus;
    // The broker may have just been killed. A join or a start then fails and is repeated.
    const bus = await retryRequest(this.#driver.bus, namespace, () => openBus(connection, { namespace, log }));
    const crew = new Crew(bus, { name: 'driver' });
    void this.#watch(crew);
    const bystanders: Bystander[] = [];
    const left: (() => Promise<void>)[] = [];
    let nc: Bus['nc'] | null = null;
    const replace = async () => {
      await nc?.close();
      const { joined, node } = await retryRequest(this.#driver.bus, namespace, async () => {
        const fresh = await this.#crew.join(`node-${this.#names++}`, namespace);
        return { joined: fresh, node: await this.#node(fresh) };
      });
      nc = joined.bus.nc;
      left.push(async () => {
        await node.stop();
        await joined.close();
      });
    };
    let replacing = Promise.resolve();
    const place = {
      bus,
      crew,
      bystander: (tag: string, id: string) => {
        const bystander = new Bystander();
        bystanders.push(bystander);
        this.#byTag.set(tag, bystander);
        this.#byId.set(goalOf(id), bystander);
        return bystander;
      },
      replaceNode: () => {
        replacing = replacing.then(replace);
        return replacing;
      },
      stop: async () => {
        // Without this, a lost node would wait for its tools.
        for (const { runs } of bystanders) for (const run of runs) run.returns('too late');
        for (const { previews } of bystanders) for (const run of previews) run.refuses('too late');
        for (const leave of left.splice(0)) await leave();
      },
    };
    this.#places.push(place);
    return place;
  }

  #node(joined: CrewSession): Promise<CoxNode> {
    const current = roster(this.#crew.model.url);
    return startNode({
      joined,
      roster: { current: () => current },
      workspace: this.#crew.folder,
      onProgress: () => {},
      kinds: [this.#kind],
      types: [type, 'supervisor'],
      slots: 64,
      leaseMs,
      quietMs: 20,
      // A lost node and a lost broker may cost a sub-task more than the usual half minute.
      drainMs: 300_000,
    });
  }

  /** Kills the nats-server with SIGKILL; a connected terminal restarts it. */
  async killBroker(): Promise<void> {
    const { pid } = JSON.parse(await readFile(join(this.#driver.folders.state, 'nats', 'server.json'), 'utf8'));
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // The server is dead already and not yet restarted.
    }
  }

  async stop(): Promise<void> {
    this.#watches.abort();
    for (const place of this.#places) await place.stop();
    await this.#crew.stop();
  }

  async #watch(crew: Crew): Promise<void> {
    for await (const event of crew.watch(null, this.#watches.signal)) {
      const bystander = this.#byId.get(goalOf(event.kind === 'status' ? event.status.id : event.id));
      if (!bystander) continue;
      if (event.kind === 'live' && event.live.type === 'token') bystander.tokens++;
      if (event.kind === 'result') bystander.results++;
      bystander.ring();
    }
  }

  /** Wakes all waiters: the connection may have missed messages, and live ones are not repeated. */
  async #ringOnReconnect(): Promise<void> {
    for await (const event of this.#driver.connection())
      if (event === 'reconnected') for (const bystander of this.#byTag.values()) bystander.ring();
  }

  #tool(name: string, effects: Effects): Tool {
    return defineTool({
      name,
      description: name,
      args: z.record(z.string(), z.unknown()),
      effects,
      ...(name === 'send' && { decides: true as const }),
      ...((name === 'pay' || name === 'send') && {
        preview: (_: unknown, { signal, idempotencyKey }: ToolContext) =>
          new Promise<ToolPreview>((resolve, reject) => {
            const [id = '', call = ''] = idempotencyKey.split(':');
            const refuses = (message: string) => reject(new Error(message));
            signal.addEventListener('abort', () => refuses('aborted'));
            this.#byId.get(goalOf(id))?.looks({ call, signal, shows: resolve, refuses });
          }),
      }),
      run: (args, { signal, idempotencyKey }) =>
        new Promise((resolve, reject) => {
          const [id = '', call = ''] = idempotencyKey.split(':');
          const returns = (text: string, more: Pick<ToolOutput, 'changes' | 'sources'> = {}) => resolve({ text, ...more });
          const isOutdated = () => reject(new Outdated('it has changed'));
          const isInDoubt = () => reject(new InDoubt('the browser ended'));
          const fails = (message: string) => reject(new Error(message));
          signal.addEventListener('abort', () => fails('aborted'));
          this.#byId.get(goalOf(id))?.acts({ task: id, call, tool: name, args, signal, returns, fails, isOutdated, isInDoubt });
        }),
    });
  }
}

/** The tools that the replies of the alphabet call, beside the one that every kind has. */
const effectsOf = {
  read: 'none',
  dear: 'none',
  put: 'idempotent',
  write: 'writes',
  pay: 'writes',
  send: 'writes',
} satisfies Record<string, Effects>;
