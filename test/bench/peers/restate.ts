/**
 * Restate: a handler that calls another one for each sub-task and awaits them all. The server comes from the npm package, on Unix
 * sockets.
 */
import { once } from 'node:events';
import { type RequestOptions, request } from 'node:http';
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Start, timed, Unavailable } from './contender.ts';
import { installed } from './packages.ts';
import { startServer } from './server.ts';

const version = '1.7.12';
const packages = [`@restatedev/restate-server@${version}`, '@restatedev/restate-sdk@1.17.2'];

interface Context {
  serviceClient(service: { readonly name: string }): { echo(instruction: string): Promise<string> };
}
interface Library {
  service(options: { name: string; handlers: Record<string, (context: Context, input: never) => Promise<string>> }): {
    readonly name: string;
  };
  RestatePromise: { all(promises: Promise<string>[]): Promise<string[]> };
  createEndpointHandler(options: { services: readonly object[] }): Parameters<Http2Server['on']>[1];
}

export const restate: Start = async (surroundings) => {
  const { folder, ends } = surroundings;
  const { load } = await installed('restate', packages, surroundings);
  const program = programIn(load);
  // By default its log syncs to the disk; ours does not.
  const settings = {
    RESTATE_LISTEN_MODE: 'unix',
    RESTATE_LOG_SERVER__ROCKSDB_DISABLE_WAL_FSYNC: 'true',
    RESTATE_DISABLE_TELEMETRY: 'true',
  };
  const args = ['--no-logo', '--base-dir', folder, '--node-name', 'bench', '--log-filter', 'warn'];
  const socket = (name: string) => join(folder, 'bench', `${name}.sock`);
  const ready = () => ask({ socketPath: socket('admin'), path: '/health' });
  process.env.RESTATE_LOGGING = 'ERROR';
  await startServer({ program, args, options: { env: { ...process.env, ...settings } }, ready }, surroundings);

  const { service, RestatePromise, createEndpointHandler }: Library = load('@restatedev/restate-sdk');
  const echo = service({ name: 'echo', handlers: { echo: async (_: Context, instruction: string) => instruction } });
  const goal = service({
    name: 'goal',
    handlers: {
      run: async (context: Context, instructions: string[]) => {
        const calls = instructions.map((instruction) => context.serviceClient(echo).echo(instruction));
        return (await RestatePromise.all(calls)).join('\n');
      },
    },
  });
  const endpoint = createServer(createEndpointHandler({ services: [echo, goal] }));
  const sessions = new Set<ServerHttp2Session>();
  endpoint.on('session', (session) => sessions.add(session));
  endpoint.listen(0, '127.0.0.1');
  ends.defer(async () => {
    for (const session of sessions) session.destroy();
    if (endpoint.listening) await once(endpoint.close(), 'close');
  });
  await once(endpoint, 'listening');
  const { port } = endpoint.address() as { port: number };
  await ask({ socketPath: socket('admin'), path: '/deployments' }, { uri: `http://127.0.0.1:${port}` });
  return {
    name: `Restate ${version} service calls`,
    stores: 'a journal of every call and what it returned (RocksDB, fsync of the log off)',
    fanOut: (size) =>
      timed(size, async (instructions) =>
        JSON.parse(await ask({ socketPath: socket('ingress'), path: '/goal/run' }, instructions)),
      ),
  };
};

function programIn(load: NodeJS.Require): string {
  const name = `@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`;
  try {
    return load.resolve(name);
  } catch {
    throw new Unavailable(`no Restate server for ${process.platform}-${process.arch} on npm`);
  }
}

/** A request over a Unix socket, which `fetch` does not support. @throws Error with the body of an answer that is not 2xx. */
async function ask(to: RequestOptions, body?: object): Promise<string> {
  const sent = request({ ...to, method: body ? 'POST' : 'GET', headers: { 'content-type': 'application/json' } });
  sent.end(body && JSON.stringify(body));
  const [answer] = await once(sent, 'response');
  const said = await text(answer);
  if (answer.statusCode >= 300) throw new Error(`Restate ${to.path}: ${answer.statusCode} ${said.slice(0, 300)}`);
  return said;
}
