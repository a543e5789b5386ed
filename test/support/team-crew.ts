/** A crew with roles for one test: a real nats-server with the accounts that the keeper wrote, and members who log in to it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NatsConnection } from '@nats-io/nats-core';
import { pino } from 'pino';
import { type CrewSession, joinCrew } from '../../actors/node/join.ts';
import { type CoxNode, type NodeOptions, startNode } from '../../actors/node/node.ts';
import { connectBus } from '../../bus/connection.ts';
import type { MemberFile } from '../../bus/team/crew-file.ts';
import { Keeper } from '../../bus/team/keeper.ts';
import { addressOf } from '../../bus/team/login.ts';
import { publishMembers } from '../../bus/team/publish-members.ts';
import { inboxOf, isBrowserOnly, type Role } from '../../bus/team/roles.ts';
import { foldersOf } from '../../platform/folders.ts';
import type { Log } from '../../platform/log.ts';
import { ModelServer } from './model-server.ts';
import { OwnServer } from './own-server.ts';
import { testRoster } from './roster.ts';

export class TeamCrew {
  readonly folder: string;
  readonly keeper: Keeper;
  readonly model: ModelServer;
  readonly #server: OwnServer;
  readonly #open: { close(): Promise<unknown> }[] = [];
  readonly #nodes: CoxNode[] = [];
  readonly #denials: string[] = [];
  readonly #log: Log;

  private constructor(folder: string, keeper: Keeper, model: ModelServer, server: OwnServer) {
    this.folder = folder;
    this.keeper = keeper;
    this.model = model;
    this.#server = server;
    const take = (line: string) => void (/Permissions Violation/.test(line) && this.#denials.push(line));
    this.#log = pino({ level: 'warn' }, { write: take });
  }

  /** @param members their names and roles. */
  static async start(members: Readonly<Record<string, readonly Role[]>>, jwt = false): Promise<TeamCrew> {
    const folder = mkdtempSync(join(tmpdir(), 'cox-team-'));
    const keeper = Keeper.init(join(folder, 'crew'), { namespace: undefined, url: undefined, jwt });
    for (const [name, roles] of Object.entries(members)) keeper.invite(name, roles);
    const server = await OwnServer.start(folder, 'crew/accounts.conf');
    const crew = new TeamCrew(folder, keeper, await ModelServer.start(), server);
    await crew.publishMembers();
    return crew;
  }

  /** The log lines about requests that the server did not permit. */
  get denials(): readonly string[] {
    return this.#denials;
  }

  get url(): string {
    return this.#server.url;
  }

  get websocketUrl(): string {
    return this.#server.websocketUrl;
  }

  env(member: string): NodeJS.ProcessEnv {
    const config = join(this.folder, 'config', member);
    mkdirSync(config, { recursive: true });
    return {
      ...process.env,
      XDG_STATE_HOME: join(this.folder, 'state'),
      XDG_CONFIG_HOME: config,
      COX_CREW: this.fileOf(member),
      NATS_URL: this.url,
      COX_ROSTER: undefined,
    };
  }

  fileOf(member: string): string {
    return join(this.keeper.folder, `${member}.crew.json`);
  }

  member(name: string): MemberFile {
    return JSON.parse(readFileSync(this.fileOf(name), 'utf8')) as MemberFile;
  }

  /** @param url of a proxy before the server. */
  async join(member: string, name?: string, url = this.url): Promise<CrewSession> {
    const env = { ...this.env(member), NATS_URL: url };
    const options = { env, log: this.#log, folders: foldersOf(env), start: false, signal: AbortSignal.timeout(60_000) };
    const joined = await joinCrew({ ...options, ...(name && { name }) });
    this.#open.push(joined);
    return joined;
  }

  async node(joined: CrewSession, options: Partial<NodeOptions> = {}): Promise<CoxNode> {
    const roster = testRoster(this.model.url);
    const common = { joined, roster: { current: () => roster }, workspace: this.folder, onProgress: () => {} };
    const node = await startNode({ ...common, ...options });
    this.#nodes.push(node);
    return node;
  }

  /** A bare connection of a member, with nothing but its login. */
  async connect(member: string): Promise<NatsConnection> {
    const file = this.member(member);
    const isWeb = isBrowserOnly(file.list.members.find(({ name }) => name === member)!.roles);
    const to = addressOf(file, { NATS_URL: isWeb ? this.#server.websocketUrl : this.url });
    const nc = await connectBus({ to, name: member, log: this.#log, inboxPrefix: inboxOf(member) });
    this.#open.push(nc);
    return nc;
  }

  publishMembers(): Promise<void> {
    return publishMembers(this.keeper, { NATS_URL: this.url }, this.#log, AbortSignal.timeout(10_000));
  }

  /** Has the server load its configuration again, and waits until it has. */
  reload(): Promise<void> {
    return this.#server.reload();
  }

  async stop(): Promise<void> {
    for (const node of this.#nodes) await node.stop();
    for (const open of this.#open.reverse()) await open.close().catch(() => {});
    await this.model.stop();
    await this.#server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
