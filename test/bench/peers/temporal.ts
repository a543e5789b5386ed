/** Temporal: a workflow that runs an activity for each sub-task and awaits them all. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Start, timed } from './contender.ts';
import { installed } from './packages.ts';
import { temporalServer } from './temporal-server.ts';

const version = '1.24.0';
const packages = ['worker', 'workflow', 'client'].map((part) => `@temporalio/${part}@${version}`);
const concurrency = 100;

/** The worker bundles this file and looks for its imports beside it. */
const workflow = `const { proxyActivities } = require('@temporalio/workflow');
const { echo } = proxyActivities({ startToCloseTimeout: '10 minutes' });
exports.goal = async (instructions) => (await Promise.all(instructions.map((instruction) => echo(instruction)))).join('\\n');
`;

interface Connection {
  readonly workflowService: {
    registerNamespace(request: object): Promise<unknown>;
    getSystemInfo(request: object): Promise<unknown>;
  };
  close(): Promise<void>;
}
interface Workflows {
  execute(name: string, options: { workflowId: string; taskQueue: string; args: readonly unknown[] }): Promise<string>;
}
interface Client {
  Connection: { connect(options: { address: string }): Promise<Connection> };
  Client: new (options: { connection: Connection; namespace: string }) => { readonly workflow: Workflows };
}
interface Worker {
  NativeConnection: { connect(options: { address: string }): Promise<{ close(): Promise<void> }> };
  Runtime: { install(options: { logger: unknown }): unknown };
  DefaultLogger: new (level: string) => unknown;
  Worker: { create(options: object): Promise<{ run(): Promise<void>; shutdown(): void }> };
}

export const temporal: Start = async (surroundings) => {
  const { ends } = surroundings;
  const { load, folder } = await installed('temporal', packages, surroundings);
  const client: Client = load('@temporalio/client');
  const { address, version: server } = await temporalServer(surroundings, async (to) => {
    const connection = await client.Connection.connect({ address: to });
    await connection.workflowService.getSystemInfo({}).finally(() => connection.close());
  });
  const connection = await client.Connection.connect({ address });
  ends.defer(() => connection.close());
  const namespace = 'bench';
  await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: { seconds: 86_400 } });

  const { NativeConnection, Runtime, DefaultLogger, Worker }: Worker = load('@temporalio/worker');
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const workflowsPath = join(folder, 'goal.cjs');
  await writeFile(workflowsPath, workflow);
  const native = await NativeConnection.connect({ address });
  ends.defer(() => native.close());
  const worker = await Worker.create({
    connection: native,
    namespace,
    taskQueue: 'bench',
    workflowsPath,
    activities: { echo: async (instruction: string) => instruction },
    maxConcurrentActivityTaskExecutions: concurrency,
  });
  const running = worker.run();
  ends.defer(() => {
    worker.shutdown();
    return running;
  });

  const { workflow: workflows } = new client.Client({ connection, namespace });
  let goals = 0;
  return {
    name: `${server} activities`,
    stores: 'a history of every activity scheduled, started and completed (SQLite, no fsync on a commit)',
    fanOut: (size) =>
      timed(size, (instructions) =>
        workflows.execute('goal', { workflowId: `goal-${goals++}`, taskQueue: 'bench', args: [instructions] }),
      ),
  };
};
