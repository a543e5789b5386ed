/**
 * The model process. child.ts starts it as `node server.js`. It reads its options from stdin, loads the model, and serves the
 * OpenAI chat protocol on loopback until stdin closes.
 */
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { Engine } from './engine.ts';
import { Launch, type Launched } from './launch.ts';
import { chatRoutes } from './routes.ts';

const tell = (message: Launched): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`);
};

/** process.exit would wait for llama.cpp's threads, which may be in the middle of a batch. There is nothing to clean up. */
const die = (): void => {
  process.kill(process.pid, 'SIGKILL');
};

async function serve(launch: Launch): Promise<void> {
  const engine = await Engine.load(launch);
  const server = createServer(chatRoutes(engine, launch));
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    tell({ type: 'ready', port: address.port, contextTokens: engine.contextTokens });
  });
}

function failureOf(error: unknown): Launched {
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
  if (name === 'NoBinaryFoundError') return { type: 'failed', code: 'platform-unsupported', message };
  const code = name === 'InsufficientMemoryError' || /memory|alloc/i.test(message) ? 'out-of-memory' : 'model-unusable';
  return { type: 'failed', code, message };
}

const lines = createInterface({ input: process.stdin });
lines.once('line', (line) => {
  serve(Launch.parse(JSON.parse(line))).catch((error: unknown) => {
    console.error(error);
    tell(failureOf(error));
    process.exitCode = 1;
    process.stdout.end(die);
  });
});
lines.once('close', die);
// Ctrl-C in the terminal reaches the whole process group, but only the parent decides when this process ends.
process.on('SIGINT', () => {});
