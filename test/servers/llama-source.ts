/**
 * llama.cpp from the source package of llama-cpp-python, which carries all of it, checked by sha256. Its own server is built from
 * there, with the libraries that the Python server uses. The build takes a quarter of an hour on two cores, once.
 */
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { withLock } from '../../platform/lock.ts';
import { sizeOf } from '../../platform/progress.ts';
import { type Surroundings, Unavailable } from '../bench/peers/contender.ts';
import { bytesIn, onPath, reasonOf, run } from '../bench/peers/packages.ts';
import { pythonEnvironment } from './python-environment.ts';

const version = '0.3.36';
const list = join(import.meta.dirname, 'requirements', 'llama-source.txt');

export interface LlamaSource {
  /** Version of llama-cpp-python. */
  readonly version: string;
  /** `llama-server` and the libraries. */
  readonly programs: string;
  /** The folder from which Python imports `llama_cpp`. */
  readonly python: string;
  /** Headers of other projects that llama.cpp and Ollama use. */
  readonly headers: string;
}

/**
 * No web pages, which it would fetch, and no TLS. For any processor with AVX2: with the instructions for matrices (AMX) of some
 * virtual machines the server ends with a segmentation fault at its first request.
 */
const settings = [
  'CMAKE_BUILD_TYPE=Release',
  'LLAMA_USE_PREBUILT_UI=OFF',
  'LLAMA_OPENSSL=OFF',
  'GGML_NATIVE=OFF',
  'LLAMA_BUILD_TESTS=OFF',
  'LLAMA_BUILD_EXAMPLES=OFF',
  'LLAMA_BUILD_APP=OFF',
  'CMAKE_INSTALL_RPATH=$ORIGIN',
  'CMAKE_BUILD_WITH_INSTALL_RPATH=ON',
];

/** @throws Unavailable */
export async function llamaSource(surroundings: Surroundings): Promise<LlamaSource> {
  const { cache, say, signal } = surroundings;
  const folder = join(cache, `llama-cpp-python-${version}`);
  const built: LlamaSource = {
    version,
    programs: join(folder, 'bin'),
    python: join(folder, 'python'),
    headers: join(folder, 'headers'),
  };
  if (existsSync(folder)) return built;
  if (!onPath('g++')) throw new Unavailable('no g++ on the PATH');
  const tools = await pythonEnvironment('build', surroundings);
  await withLock(join(cache, 'locks', 'llama-cpp-python'), async () => {
    if (existsSync(folder)) return;
    say(`building llama.cpp from llama-cpp-python ${version}: this takes many minutes, once …`);
    const draft = `${folder}-draft`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    // Without its own build tools pip would fetch others, of any version.
    const env = { ...process.env, PATH: `${tools}:${process.env.PATH ?? ''}` };
    const options = { cwd: draft, env, signal, maxBuffer: 64_000_000 };
    const fetching = ['--quiet', '--no-deps', '--no-binary', ':all:', '--no-build-isolation', '--disable-pip-version-check'];
    try {
      await run(join(tools, 'pip'), ['download', ...fetching, '--require-hashes', '-r', list], options);
      const archive = (await readdir(draft)).find((name) => name.endsWith('.tar.gz'));
      await run('tar', ['-xzf', `${archive}`], options);
      const source = join(draft, `llama_cpp_python-${version}`);
      const build = join(draft, 'build');
      const llama = join(source, 'vendor/llama.cpp');
      await run('cmake', ['-S', llama, '-B', build, '-G', 'Ninja', ...settings.map((it) => `-D${it}`)], options);
      await run('ninja', ['-C', build, 'llama-server'], options);
      const done = join(draft, 'done');
      await cp(join(build, 'bin'), join(done, 'bin'), { recursive: true, verbatimSymlinks: true });
      await cp(join(source, 'llama_cpp'), join(done, 'python', 'llama_cpp'), { recursive: true });
      await symlink('../../bin', join(done, 'python', 'llama_cpp', 'lib'));
      await cp(join(llama, 'vendor'), join(done, 'headers'), { recursive: true });
      await rename(done, folder);
    } catch (error) {
      throw new Unavailable(`llama.cpp could not be built: ${reasonOf(error)}`);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
    say(`built: ${sizeOf(await bytesIn(folder))}`);
  });
  return built;
}
