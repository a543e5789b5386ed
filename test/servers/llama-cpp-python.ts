/** The server of llama-cpp-python, which is written in Python and has a protocol of its own on the same library. */
import { join } from 'node:path';
import type { Surroundings } from '../bench/peers/contender.ts';
import { freePorts, startServer } from '../bench/peers/server.ts';
import { llamaSource } from './llama-source.ts';
import { pythonEnvironment } from './python-environment.ts';
import { answers, contextTokens, modelPath, type RealServer } from './real-server.ts';

/** @throws Unavailable */
export async function llamaCppPython(surroundings: Surroundings): Promise<RealServer> {
  const { python, version } = await llamaSource(surroundings);
  const programs = await pythonEnvironment('llama-cpp-python', surroundings);
  const [port] = await freePorts(1);
  const address = `http://127.0.0.1:${port}`;
  const args = ['-m', 'llama_cpp.server', '--host', '127.0.0.1', '--port', `${port}`, '--model', await modelPath(surroundings)];
  args.push('--model_alias', 'small', '--n_ctx', `${contextTokens}`, '--n_threads', '1', '--n_threads_batch', '1');
  await startServer(
    {
      program: join(programs, 'python'),
      args,
      options: { env: { ...process.env, PYTHONPATH: python } },
      ready: () => answers(`${address}/v1/models`),
    },
    surroundings,
  );
  return { name: 'llama-cpp-python', version, baseUrl: `${address}/v1`, model: 'small', key: null };
}
