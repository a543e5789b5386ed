/** The result of `npm pack`, installed into an empty folder as a user does it and run by the oldest and the present Node. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isPlanning, isReducing, planOf, World } from '../e2e/support/world.ts';

const root = join(import.meta.dirname, '../..');
const bin = join(root, 'node_modules/.bin');
const run = promisify(execFile);

let folder: string;
let consumer: string;
let world: World;
let files: string[];

/** The environment without this project’s npm variables, which must not reach an npm that works on another project. */
const plainEnv = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|config_local_prefix)/.test(name)));

const npm = (args: readonly string[], cwd: string) =>
  run('npm', ['--no-audit', '--no-fund', ...args], {
    cwd,
    env: { ...plainEnv(), PATH: `${bin}${delimiter}${process.env.PATH}` },
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cox-pack-'));
  consumer = join(folder, 'consumer');
  const source = join(folder, 'source');
  const left = new Set(['node_modules', '.git', 'dist', 'coverage']);
  await cp(root, source, { recursive: true, filter: (path) => !left.has(basename(path)) || path === root });
  await symlink(join(root, 'node_modules'), join(source, 'node_modules'), 'junction');
  const { stdout } = await npm(['pack', '--json', '--loglevel=error', `--pack-destination=${folder}`], source);
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('[\n'))) as [{ filename: string; files: { path: string }[] }];
  files = packed.files.map(({ path }) => path);
  // The lean install of the README: llama.cpp for this processor without the GPU builds.
  const llama = `@node-llama-cpp/${process.platform === 'darwin' ? 'mac' : 'linux'}-${process.arch}`;
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  const version = lock.packages[`node_modules/${llama}`]?.version;
  await writeFile(join(await empty(consumer), 'package.json'), '{}');
  await npm(['install', '--omit=optional', join(folder, packed.filename), ...(version ? [`${llama}@${version}`] : [])], consumer);
  await npm(['install', '--prefix', await empty(join(folder, 'oldest')), 'node@22.12'], folder);
  world = await World.make();
});

afterAll(async () => {
  await world?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function empty(path: string): Promise<string> {
  const { mkdir } = await import('node:fs/promises');
  await mkdir(path, { recursive: true });
  return path;
}

type Nodes = 'oldest' | 'present';
/** Runs cox as a shell of the consumer does: the first `node` on the PATH counts. */
async function cox(node: Nodes, args: readonly string[]): Promise<string> {
  const nodes = node === 'present' ? bin : join(folder, 'oldest/node_modules/.bin');
  const env = { ...world.env, PATH: [nodes, process.env.PATH].join(delimiter) };
  return (await run(join(consumer, 'node_modules/.bin/cox'), [...args], { cwd: world.workspace, env })).stdout;
}

test('the package has the program and its documents, and nothing else', () => {
  expect(files).toEqual(
    expect.arrayContaining([
      'dist/cli/main.js',
      'dist/roster/default.yaml',
      'README.md',
      'LICENSE',
      'DISCLAIMER.md',
      'docs/cli.md',
      'packages/chromium/package-lock.json',
    ]),
  );
  const sources = files.filter((path) => /^(test|\.ci)\//.test(path) || (path.endsWith('.ts') && !path.endsWith('.d.ts')));
  expect(sources).toEqual([]);
});

test.each<Nodes>(['oldest', 'present'])(
  'the installed cox tells its version, its commands and what it finds, on the %s Node',
  async (node) => {
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    expect(await cox(node, ['--version'])).toBe(`${version}\n`);
    expect(await cox(node, ['--help'])).toMatch(/\brun\b.*\bsteer\b.*\bdoctor\b/s);
    expect(JSON.parse(await cox(node, ['doctor', '--json']))).toMatchObject({ ok: true });
  },
);

test.each<Nodes>(['oldest', 'present'])('the installed cox reaches a goal, on the %s Node', async (node) => {
  world.model.answer((call) => {
    if (isPlanning(call)) call.reply(planOf(['a', 'b']));
    else call.reply(isReducing(call) ? 'both done' : 'done');
  });
  const answered = JSON.parse(await cox(node, ['run', '--json', 'Do a and b']));
  expect(answered).toMatchObject({ outcome: 'completed', answer: expect.stringContaining('both done') });
});

test('a program that uses the package is checked by its declarations and runs', async () => {
  const program = join(consumer, 'program.ts');
  await writeFile(
    program,
    `import { defineTool, joinCrew, startNode, type TaskSpec } from 'coxswain';
const spec: TaskSpec['type'] = 'reasoning';
// @ts-expect-error: an instruction is text
const wrong: TaskSpec['instruction'] = 1;
console.log(typeof defineTool, typeof joinCrew, typeof startNode, spec, wrong);
`,
  );
  const options = [
    '--strict',
    '--noEmit',
    '--target',
    'es2024',
    '--module',
    'nodenext',
    '--skipLibCheck',
    '--typeRoots',
    join(root, 'node_modules/@types'),
  ];
  const { stdout } = await run(join(bin, 'tsc'), ['--ignoreConfig', ...options, '--types', 'node', program], {
    cwd: consumer,
  }).catch((cause) => cause);
  expect(stdout).toBe('');
  expect((await run(join(bin, 'node'), [program], { cwd: consumer })).stdout).toBe('function function function reasoning 1\n');
});
