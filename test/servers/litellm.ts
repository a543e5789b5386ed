/** The proxy of LiteLLM, in front of llama.cpp's own server. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Surroundings } from '../bench/peers/contender.ts';
import { freePorts, startServer } from '../bench/peers/server.ts';
import { llamaCpp } from './llama-cpp.ts';
import { pythonEnvironment } from './python-environment.ts';
import { answers, type RealServer } from './real-server.ts';

const key = 'sk-of-this-test';

/** @throws Unavailable */
export async function liteLlm(surroundings: Surroundings): Promise<RealServer> {
  const programs = await pythonEnvironment('litellm', surroundings);
  const folder = join(surroundings.folder, 'litellm');
  await mkdir(folder);
  const behind = await llamaCpp(surroundings);
  const [port] = await freePorts(1);
  const address = `http://127.0.0.1:${port}`;
  const route = { model: `openai/${behind.model}`, api_base: behind.baseUrl, api_key: 'none' };
  const config = {
    model_list: [{ model_name: 'small', litellm_params: route }],
    general_settings: { master_key: key },
    litellm_settings: { telemetry: false },
  };
  // YAML takes JSON.
  await writeFile(join(folder, 'config.yaml'), JSON.stringify(config));
  await startServer(
    {
      program: join(programs, 'litellm'),
      args: ['--config', 'config.yaml', '--host', '127.0.0.1', '--port', `${port}`, '--telemetry', 'False'],
      // Without the first it fetches its prices from elsewhere.
      options: { env: { ...process.env, LITELLM_LOCAL_MODEL_COST_MAP: 'True', NO_DOCS: 'True' } },
      ready: () => answers(`${address}/health/liveliness`),
    },
    { ...surroundings, folder },
  );
  const packages = await readFile(join(import.meta.dirname, 'requirements/litellm.txt'), 'utf8');
  const version = packages.match(/^litellm==(.+)$/m)?.[1];
  return { name: 'LiteLLM proxy', version: `${version}`, baseUrl: `${address}/v1`, model: 'small', key };
}
