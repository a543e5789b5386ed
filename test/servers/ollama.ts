/** Ollama, built from its Go module, for this processor. Its module lacks headers, which llama.cpp has. */
import { existsSync } from 'node:fs';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../../platform/lock.ts';
import { sizeOf } from '../../platform/progress.ts';
import { type Surroundings, Unavailable } from '../bench/peers/contender.ts';
import { onPath, reasonOf, run } from '../bench/peers/packages.ts';
import { freePorts, startServer } from '../bench/peers/server.ts';
import { llamaSource } from './llama-source.ts';
import { answers, contextTokens, modelPath, type RealServer } from './real-server.ts';

const version = '0.17.4';
const packagePath = 'github.com/ollama/ollama';
/** Of the module, as `go mod download -json` tells it. Its go.sum pins all others. */
const sum = 'h1:X3KNm9x4BlHqk/AXMGtC7pBAFd46nmJmy8yDaBZLo9s=';

/** With the model's own template, or with one that knows no tools, as many models on Ollama have. It does not know the file's. */
export const ollama = (surroundings: Surroundings): Promise<RealServer> => serving(surroundings, 'Ollama', withTools);
export const ollamaWithoutTools = (surroundings: Surroundings): Promise<RealServer> =>
  serving(surroundings, 'Ollama, template without tools', withoutTools);

/** @throws Unavailable */
async function serving(surroundings: Surroundings, name: string, template: string): Promise<RealServer> {
  const program = await built(surroundings);
  const { folder, signal } = surroundings;
  const [port] = await freePorts(1);
  const address = `http://127.0.0.1:${port}`;
  const env = {
    ...process.env,
    HOME: folder,
    OLLAMA_HOST: `127.0.0.1:${port}`,
    OLLAMA_MODELS: join(folder, 'models'),
    OLLAMA_CONTEXT_LENGTH: `${contextTokens}`,
    OLLAMA_NUM_PARALLEL: '1',
  };
  await startServer({ program, args: ['serve'], options: { env }, ready: () => answers(`${address}/api/version`) }, surroundings);
  const file = join(folder, 'modelfile');
  await writeFile(file, `FROM ${await modelPath(surroundings)}\nPARAMETER num_thread 1\nTEMPLATE """${template}"""\n`);
  await run(program, ['create', 'small', '-f', file], { env, signal });
  return { name, version, baseUrl: `${address}/v1`, model: 'small', key: null };
}

async function built(surroundings: Surroundings): Promise<string> {
  const { cache, say, signal } = surroundings;
  const folder = join(cache, `ollama-${version}`);
  const program = join(folder, 'ollama');
  if (existsSync(program)) return program;
  const go = onPath('go');
  if (!go) throw new Unavailable('no go on the PATH');
  const { headers } = await llamaSource(surroundings);
  await withLock(join(cache, 'locks', 'ollama'), async () => {
    if (existsSync(program)) return;
    say(`building ${packagePath} ${version} with ${go}: this takes many minutes, once …`);
    const building = join(folder, 'building');
    await rm(folder, { recursive: true, force: true });
    await mkdir(building, { recursive: true });
    const env = {
      ...process.env,
      GOBIN: folder,
      GOPATH: join(building, 'path'),
      GOCACHE: join(building, 'cache'),
      GOFLAGS: '-modcacherw',
      CGO_CPPFLAGS: `-I${headers}`,
      // Go's own flags leave out the vector units, and then a token takes seconds.
      CGO_CFLAGS: '-O3 -march=native',
      CGO_CXXFLAGS: '-O3 -march=native',
    };
    try {
      const { stdout } = await run(go, ['mod', 'download', '-json', `${packagePath}@v${version}`], { env, signal, cwd: folder });
      const { Sum } = JSON.parse(stdout) as { Sum: string };
      if (Sum !== sum) throw new Error(`its checksum is ${Sum}, not ${sum}`);
      const flags = `-ldflags=-s -w -X=${packagePath}/version.Version=${version}`;
      await run(go, ['install', flags, `${packagePath}@v${version}`], { env, signal, maxBuffer: 64_000_000 });
    } catch (error) {
      throw new Unavailable(`Ollama could not be built: ${reasonOf(error)}`);
    } finally {
      await rm(building, { recursive: true, force: true });
    }
    say(`built: ${sizeOf((await stat(program)).size)}`);
  });
  return program;
}

/** ChatML, as the template in the model's file. */
const withoutTools = `{{- range $i, $_ := .Messages }}<|im_start|>{{ .Role }}
{{ .Content }}<|im_end|>
{{ end }}<|im_start|>assistant
`;

const withTools = `{{- if or .System .Tools }}<|im_start|>system
{{ .System }}
{{- if .Tools }}

# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>
{{- range .Tools }}
{"type": "function", "function": {{ .Function }}}
{{- end }}
</tools>

For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call>
{{- end }}<|im_end|>
{{ end }}
{{- range $i, $_ := .Messages }}
{{- if eq .Role "user" }}<|im_start|>user
{{ .Content }}<|im_end|>
{{ else if eq .Role "assistant" }}<|im_start|>assistant
{{ .Content }}
{{- range .ToolCalls }}
<tool_call>
{"name": "{{ .Function.Name }}", "arguments": {{ .Function.Arguments }}}
</tool_call>
{{- end }}<|im_end|>
{{ else if eq .Role "tool" }}<|im_start|>user
<tool_response>
{{ .Content }}
</tool_response><|im_end|>
{{ end }}
{{- end }}<|im_start|>assistant
`;
