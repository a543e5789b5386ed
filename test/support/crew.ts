/** A crew for one test: a real nats-server with temporary folders, joined as the product joins it, and a scripted model. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { type CrewSession, joinCrew } from '../../actors/node/join.ts';
import { type CoxNode, type NodeOptions, startNode } from '../../actors/node/node.ts';
import { terminate } from '../../bus/embedded/launch.ts';
import { readRecord, serverPaths } from '../../bus/embedded/server-record.ts';
import { foldersOf } from '../../platform/folders.ts';
import { ModelServer } from './model-server.ts';
import { testRoster } from './roster.ts';

export interface TestCrew {
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
  readonly model: ModelServer;
  /** Joins the crew as a further process would. */
  join(name?: string, namespace?: string): Promise<CrewSession>;
  node(joined: CrewSession, options?: Partial<NodeOptions> & { rosterYaml?: string }): Promise<CoxNode>;
  stop(): Promise<void>;
}

/** Uses the nats-server binary in the machine’s own cache; only state and configuration are temporary. */
export async function testCrew(): Promise<TestCrew> {
  const folder = await mkdtemp(join(tmpdir(), 'cox-test-'));
  const env = {
    ...process.env,
    XDG_STATE_HOME: join(folder, 'state'),
    XDG_CONFIG_HOME: join(folder, 'config'),
    NATS_URL: undefined,
    COX_ROSTER: undefined,
  };
  const model = await ModelServer.start();
  const log = pino({ level: process.env.COX_TEST_LOG ?? 'silent' });
  const open: { close(): Promise<void> }[] = [];
  const nodes: CoxNode[] = [];
  return {
    env,
    folder,
    model,
    async join(name, namespace) {
      const joined = await joinCrew({
        env,
        log,
        folders: foldersOf(env),
        start: true,
        signal: AbortSignal.timeout(120_000),
        ...(name && { name }),
        ...(namespace && { namespace }),
      });
      open.push(joined);
      return joined;
    },
    async node(joined, { rosterYaml, ...options } = {}) {
      const roster = testRoster(model.url, rosterYaml);
      const node = await startNode({
        joined,
        roster: { current: () => roster },
        workspace: folder,
        onProgress: () => {},
        ...options,
      });
      nodes.push(node);
      return node;
    },
    async stop() {
      for (const node of nodes) await node.stop();
      for (const joined of open.reverse()) await joined.close();
      await model.stop();
      // On a busy machine the last one to leave may not notice that it is the last, and leaves the server running.
      const left = readRecord(serverPaths(foldersOf(env)));
      if (left.kind === 'record') await terminate({ pid: left.record.pid, start: left.record.pidStart });
      await rm(folder, { recursive: true, force: true });
    },
  };
}
