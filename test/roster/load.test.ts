import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { requireCoordinator } from '../../roster/coordinator.ts';
import { RosterError } from '../../roster/errors.ts';
import { findRoster, shippedRoster } from '../../roster/find-roster.ts';
import { rosterJsonSchema } from '../../roster/json-schema.ts';
import { loadRoster, parseRoster } from '../../roster/load.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cox-roster-'));
});
afterEach(() => rm(folder, { recursive: true }));

function problemsOf(text: string): RosterError {
  try {
    parseRoster(text, '/x/roster.yaml');
  } catch (error) {
    if (error instanceof RosterError) return error;
    throw error;
  }
  throw new Error('it is good');
}
const backend = 'base_url: http://h/v1, model: m';

const fileWriters = ['write_file', 'edit_file', 'apply_patch'];
test('anchors, aliases, merges and keys that begin with x- are taken', () => {
  const roster = parseRoster(
    `x-common: &common { base_url: http://h/v1, tier: local }
backends:
  a: { <<: *common, model: m, x-note: "the small one" }
  x-b: { <<: [*common], model: n, cost: &free { input: 0, output: 0 } }
  c: { <<: *common, model: o, cost: *free }
agents: { x-kind: { prompt: p, x-why: [1, { a: 1 }] } }
`,
    '/x/roster.yaml',
  );
  expect(Object.entries(roster.backends).map(([name, it]) => [name, it.tier])).toEqual([
    ['a', 'local'],
    ['x-b', 'local'],
    ['c', 'local'],
  ]);
  expect(Object.keys(roster.agents)).toEqual(['x-kind']);
  expect(rosterJsonSchema()).toMatchObject({ additionalProperties: false, patternProperties: { '^x-': {} } });
  expect(problemsOf(`backends: { a: { ${backend}, xnote: 1 } }`).message).toMatch(/unknown key `xnote`/);
});

test('an alias of something that contains it is an error of the roster', () => {
  expect(problemsOf(`x-a: &a { b: *a }\nbackends: { a: { ${backend} } }`).message).toMatch(/contains it/);
});

test('a key __proto__ is reported with its place', () => {
  expect(problemsOf(`backends:\n  a: { ${backend} }\n  __proto__: { ${backend} }\n`).problems).toMatchObject([
    { line: 3, column: 3, path: 'backends' },
  ]);
});

test('the shipped roster is valid and has the local model, and the shipped kinds', async () => {
  const roster = await loadRoster(shippedRoster.file);
  expect(roster.backends.local).toMatchObject({
    kind: 'embedded',
    model: 'standard',
    tier: 'local',
    canOrchestrate: true,
    context: 8192,
  });
  expect(Object.keys(roster.agents)).toEqual(['files', 'reasoning', 'vision', 'web', 'browser']);
  expect(roster.agents.files!.tools).toContain('read_file');
  expect(roster).toMatchObject({ coordinator: 'deterministic', reducer: 'orchestrator', tools: { gated: fileWriters } });
});

test('a kind of the user’s own joins the shipped ones, or replaces one of the same name', async () => {
  const file = join(folder, 'r.yaml');
  await writeFile(file, `backends: { a: { ${backend} } }\nagents: { files: { prompt: Mine }, poet: { prompt: Rhyme } }`);
  const { agents } = await loadRoster(file);
  expect(Object.keys(agents).sort()).toEqual(['browser', 'files', 'poet', 'reasoning', 'vision', 'web']);
  expect(agents.files).toMatchObject({
    prompt: 'Mine',
    tools: [],
    limits: { steps: 24, failures: 3, repeats: 3, costUsd: null },
  });
});

test.each([
  [
    'a wrong word',
    'backends:\n  a:\n    base_url: http://h/v1\n    model: m\n    tier: lokal\n',
    5,
    11,
    'backends.a.tier',
    /"local"\|"subscription"\|"api"/,
  ],
  [
    'an unknown key',
    `backends:\n  a: { ${backend}, good_in: [x] }\n`,
    2,
    41,
    'backends.a',
    /unknown key `good_in`; known here: kind, base_url, .*good_at/,
  ],
  ['a missing key', 'backends:\n  a:\n    model: m\n', 2, 3, 'backends.a.base_url', /missing: expected string/],
  ['a wrong kind', 'backends:\n  a: { kind: cloud }\n', 2, 14, 'backends.a.kind', /openai, embedded, command/],
  [
    'an unknown reducer',
    `backends: { a: { ${backend} } }\nreducer: b\n`,
    2,
    10,
    'reducer',
    /concat, effects, json, vote or a backend \(a\)/,
  ],
  [
    'a bad name',
    `backends: { a: { ${backend} } }\nagents:\n  Supervisor: { prompt: x }\n`,
    3,
    3,
    'agents.Supervisor',
    /lower case/,
  ],
  [
    'the built-in name',
    `backends: { a: { ${backend} } }\nagents:\n  supervisor: { prompt: x }\n`,
    3,
    3,
    'agents.supervisor',
    /built in/,
  ],
  ['no backend', 'backends: {}\n', 1, 1, 'backends', /at least one/],
  ['nothing', '', 1, 1, 'backends', /missing/],
  ['a list', '- a\n', 1, 1, '', /object/],
  ['broken YAML', 'backends:\n  a: [1,\nb: 2\n', 3, 1, '', /./],
  ['a key twice', `coordinator: deterministic\ncoordinator: emergent\n`, 2, 1, '', /unique/],
])('an error about %s names line, column and the expected value', (_what, text, line, column, path, message) => {
  const error = problemsOf(text);
  expect(error.code).toBe('roster-invalid');
  expect(error.problems[0]).toMatchObject({ line, column, path, message: expect.stringMatching(message) });
  expect(error.message).toContain(`/x/roster.yaml:${line}:${column}: `);
});

test('all errors are reported in the order of the file', () => {
  const error = problemsOf(`backends:\n  a: { ${backend}, tier: x }\n  b: { ${backend}, vision: 3 }\nlimits: { retries: -1 }\n`);
  expect(error.problems.map((it) => it.line)).toEqual([2, 3, 4]);
});

test('a key in the file or in a URL is refused and not repeated', () => {
  const error = problemsOf(
    `backends: { a: { ${backend}, key: sk-verysecret }, b: { base_url: "http://u:hush@h/v1", model: m },
      c: { base_url: "http://h/v1?key=hush", model: m }, d: { base_url: "http://h/v1#hush", model: m } }`,
  );
  expect(error.message).toContain('env:NAME, file:PATH or none');
  expect(error.problems).toHaveLength(4);
  expect(error.message).not.toMatch(/verysecret|hush/);
});

test('an alias bomb is an error, and an anchor is fine', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefgh'.split('').map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[i]}`).join(',')}]`),
  ];
  expect(problemsOf(bomb.join('\n')).code).toBe('roster-invalid');
  const roster = parseRoster(`backends:\n  a: &base { ${backend} }\n  b: { <<: *base, vision: true }\n`, '/x/roster.yaml');
  expect(roster.backends.b).toMatchObject({ model: 'm', vision: true });
});

test('relative paths start at the folder of the file', () => {
  const roster = parseRoster(
    `backends: { a: { ${backend}, key: "file:keys/a" }, b: { kind: embedded, model: ./m.gguf }, c: { kind: embedded, model: small } }`,
    '/x/y/r.yaml',
  );
  expect(roster.backends.a).toMatchObject({ key: { from: 'file', path: '/x/y/keys/a' } });
  expect(roster.backends.b).toMatchObject({ model: '/x/y/m.gguf' });
  expect(roster.backends.c).toMatchObject({ model: 'small' });
});

test('tier, cost, context and concurrency have defaults by kind', () => {
  const { backends } = parseRoster(
    `backends: { a: { ${backend} }, b: { kind: embedded }, c: { kind: command, command: [x] } }`,
    '/r.yaml',
  );
  expect(backends.a).toMatchObject({
    kind: 'openai',
    tier: 'api',
    optIn: false,
    cost: null,
    context: null,
    maxOutput: null,
    concurrency: 4,
    tools: 'auto',
    key: { from: 'none' },
  });
  expect(backends.b).toMatchObject({
    tier: 'local',
    cost: { input: 0, output: 0 },
    context: 8192,
    maxOutput: 1024,
    concurrency: 1,
    threads: null,
  });
  expect(backends.c).toMatchObject({ tier: 'subscription', cost: { input: 0, output: 0 }, concurrency: 1 });
});

test('an emergent coordinator is accepted, and its use reports that it is not built yet', () => {
  const roster = parseRoster(`backends: { a: { ${backend} } }\ncoordinator: emergent`, '/r.yaml');
  expect(() => requireCoordinator(roster)).toThrow(
    expect.objectContaining({ code: 'not-yet', hint: expect.stringContaining('deterministic') }),
  );
  expect(requireCoordinator({ ...roster, coordinator: 'deterministic' })).toBe('deterministic');
});

test('the roster is looked up in --roster, COX_ROSTER, the working folder, the config folder, then the shipped one', async () => {
  const [cwd, config] = [join(folder, 'work'), join(folder, 'config')];
  await Promise.all([cwd, config].map((it) => mkdir(it)));
  const find = (path?: string, env = {}) => findRoster({ path, env, folders: { config }, cwd });
  expect(await find()).toEqual(shippedRoster);
  await writeFile(join(config, 'roster.yaml'), '');
  expect(await find()).toEqual({ file: join(config, 'roster.yaml'), by: 'config folder' });
  await writeFile(join(cwd, 'roster.yaml'), '');
  expect(await find()).toEqual({ file: join(cwd, 'roster.yaml'), by: 'working folder' });
  await writeFile(join(cwd, 'e.yaml'), '');
  expect(await find(undefined, { COX_ROSTER: 'e.yaml' })).toEqual({ file: join(cwd, 'e.yaml'), by: 'COX_ROSTER' });
  await writeFile(join(cwd, 'p.yaml'), '');
  expect(await find('p.yaml', { COX_ROSTER: 'e.yaml' })).toEqual({ file: join(cwd, 'p.yaml'), by: '--roster' });
  // An empty path, as from an unset variable of a script, must not silently select another roster.
  expect((await find('')).by).toBe('--roster');
});

test('a named roster that is missing, or is no file, is an error', async () => {
  const find = findRoster({ path: 'no.yaml', env: {}, folders: { config: folder }, cwd: folder });
  await expect(find).rejects.toMatchObject({ code: 'roster-missing', message: expect.stringContaining(join(folder, 'no.yaml')) });
  await expect(loadRoster(folder)).rejects.toMatchObject({ code: 'roster-unreadable' });
});

test('docs/roster.md describes every key of the schema', async () => {
  const doc = await readFile(new URL('../../docs/roster.md', import.meta.url), 'utf8');
  const missing = [...keysOf(rosterJsonSchema())].filter((key) => !doc.includes(`\`${key}\``));
  expect(missing).toEqual([]);
});

function* keysOf(schema: unknown): Generator<string> {
  if (typeof schema !== 'object' || schema === null) return;
  for (const [name, value] of Object.entries(schema)) {
    if (name === 'properties') yield* Object.keys(value as object);
    yield* keysOf(value);
  }
}

test('a roster that has write_file asked about has the other tools asked about that write files', () => {
  const gated = (list: string) =>
    parseRoster(`backends: { a: { kind: embedded } }\ntools: { gated: [${list}] }`, '/r.yaml').tools.gated;
  expect(gated('remember, write_file')).toEqual(['remember', ...fileWriters]);
  expect(gated('remember')).toEqual(['remember']);
});

test('a roster that is too large is refused, and a pipe in the folder is passed over', async () => {
  const file = join(folder, 'roster.yaml');
  await writeFile(file, '');
  await truncate(file, 2 ** 31);
  await expect(loadRoster(file)).rejects.toMatchObject({
    code: 'roster-unreadable',
    message: expect.stringContaining('larger than 1048576 bytes'),
  });
  await rm(file);
  execFileSync('mkfifo', [file]);
  expect(await findRoster({ env: {}, folders: { config: folder }, cwd: folder })).toBe(shippedRoster);
});

test('a roster that comes through a pipe is read once, and is there for each that asks', async () => {
  const file = join(folder, 'piped.yaml');
  execFileSync('mkfifo', [file]);
  const [first, second] = [loadRoster(file), loadRoster(file)];
  await writeFile(file, 'backends:\n  x: { base_url: "http://127.0.0.1:9/v1", model: m, tier: local, key: none }\n');
  for (const roster of [await first, await second, await loadRoster(file)]) expect(Object.keys(roster.backends)).toEqual(['x']);
});
