/** llama.cpp's own server, `llama-server`. */
import { join } from 'node:path';
import type { Surroundings } from '../bench/peers/contender.ts';
import { freePorts, startServer } from '../bench/peers/server.ts';
import { llamaSource } from './llama-source.ts';
import { answers, contextTokens, modelPath, type RealServer } from './real-server.ts';

/** @throws Unavailable */
export async function llamaCpp(surroundings: Surroundings): Promise<RealServer> {
  const { programs, version } = await llamaSource(surroundings);
  const [port] = await freePorts(1);
  const address = `http://127.0.0.1:${port}`;
  const args = ['--host', '127.0.0.1', '--port', `${port}`, '--model', await modelPath(surroundings), '--jinja'];
  args.push('--ctx-size', `${contextTokens}`, '--parallel', '1', '--threads', '1', '--no-webui', '--offline');
  await startServer({ program: join(programs, 'llama-server'), args, ready: () => answers(`${address}/health`) }, surroundings);
  return { name: 'llama.cpp', version: `llama-cpp-python ${version}`, baseUrl: `${address}/v1`, model: 'small', key: null };
}
