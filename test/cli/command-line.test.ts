import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from '../../cli/program.ts';

const main = resolve(import.meta.dirname, '../../cli/main.ts');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cox-line-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function failureOf(args: readonly string[], stdin: number | 'ignore' = 'ignore') {
  const env = { ...process.env, XDG_STATE_HOME: folder, XDG_CONFIG_HOME: folder };
  const child = spawn(process.execPath, [main, '--json', ...args], { stdio: [stdin, 'pipe', 'pipe'], env });
  const [[exit], out] = await Promise.all([once(child, 'exit'), text(child.stdout!)]);
  return { exit: exit as number, ...(JSON.parse(out) as { error: { code: string; message: string; hint: string } }).error };
}
const parsed = (...argv: string[]) => parse(argv, '0', () => {});

test('a text that begins with a dash is a goal, an instruction or a value of an option', () => {
  expect(parsed('run', '--plan', '- my plan.yaml', '- Update the docs').args).toEqual(['- Update the docs']);
  expect(parsed('run', '--plan', '- my plan.yaml', '- Update the docs').options.plan).toBe('- my plan.yaml');
  expect(parsed('dispatch', 'files', '--force is missing\nin the script').args).toEqual([
    'files',
    '--force is missing\nin the script',
  ]);
  expect(parsed('steer', 'k3', '-5 degrees are too cold').args).toEqual(['k3', '-5 degrees are too cold']);
  expect(parsed('run', '--', '--json').args).toEqual(['--json']);
  expect(parsed('run', '--plan=a b.yaml', 'x').options.plan).toBe('a b.yaml');
  expect(parsed('run', '-').args).toEqual(['-']);
});

test('any text with a blank in it is a goal as it stands', () => {
  const words = fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' })).map(([a, b]) => `-${a} ${b}`);
  fc.assert(
    fc.property(words, (goal) => {
      fc.pre(!/^--?[A-Za-z][\w-]*=/.test(goal));
      expect(parsed('run', goal).args).toEqual([goal]);
    }),
  );
});

test('an unknown option says how to write a text that begins with a dash', async () => {
  expect(await failureOf(['run', '-x'])).toMatchObject({ exit: 2, code: 'usage', hint: expect.stringMatching(/ -- ?/) });
});

test('a folder as stdin, and a text in another encoding, are refused with the reason', async () => {
  const folderAsInput = openSync(folder, 'r');
  expect(await failureOf(['run', '-'], folderAsInput)).toMatchObject({
    exit: 2,
    code: 'bad-stdin',
    message: expect.stringMatching(/folder/),
  });
  closeSync(folderAsInput);
  writeFileSync(join(folder, 'latin1'), Buffer.from('r\xe9sum\xe9', 'latin1'));
  const latin1 = openSync(join(folder, 'latin1'), 'r');
  expect(await failureOf(['run', '-'], latin1)).toMatchObject({
    exit: 2,
    code: 'bad-stdin',
    message: expect.stringMatching(/UTF-8/),
  });
  closeSync(latin1);
});

test.each(['constructor', '__proto__', 'toString'])('the command line knows nothing called %s', async (name) => {
  for (const args of [[name], ['help', name], ['completion', name], ['up', '--types', name], ['dispatch', name, 'x']])
    expect(await failureOf(args)).toMatchObject({ exit: 2, message: expect.stringContaining(name) });
});
