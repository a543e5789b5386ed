import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Terminal } from './support/terminal.ts';
import { isWorking, World } from './support/world.ts';

/** A crew with an open question, and `cox` on the PATH of the shells. */
let world: World;
let env: NodeJS.ProcessEnv;
let asking: string;

beforeAll(async () => {
  world = await World.make();
  const bin = join(world.folder, 'bin');
  const entry = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
  await mkdir(bin);
  await writeFile(join(bin, 'cox'), `#!/bin/sh\nexec '${process.execPath}' '${entry}' "$@"\n`);
  await chmod(join(bin, 'cox'), 0o755);
  await world.roster('agents: { scribe: { prompt: Write. } }');
  await Promise.all([
    writeFile(join(world.workspace, 'plan.yaml'), ''),
    mkdir(join(world.workspace, 'planes')),
    mkdir(join(world.folder, 'home')),
  ]);
  env = {
    ...world.env,
    PATH: `${bin}:${process.env.PATH}`,
    HOME: join(world.folder, 'home'),
    ZDOTDIR: join(world.folder, 'home'),
  };
  const node = world.start(['up', '--json'], { stdin: null });
  await node.says('stdout', /"node"/);
  const { value } = await world.json<{ id: string }>(['dispatch', 'files', 'colour the page']);
  asking = value.id;
  const call = await world.model.next(isWorking);
  call.end([{ tool: 'ask_operator', args: { question: 'Which colour?', choices: ['deep red', 'blue'] } }]);
  const events = world.start(['watch', asking, '--json'], { stdin: null });
  await events.says('stdout', /"question":\{"id":"q1"/);
});
afterAll(() => world.stop());

const words = async (...line: string[]): Promise<string[]> => {
  const { stdout } = await world.cox(['complete', '--', ...line]);
  return stdout
    .split('\n')
    .filter((word) => word !== '')
    .map((word) => word.split('\t')[0]!);
};

describe('completion', () => {
  it('offers kinds of the roster, one by one within a list', async () => {
    expect(await words('dispatch', 's')).toEqual(['supervisor', 'scribe']);
    const shipped = ['files', 'reasoning', 'vision', 'web', 'browser'];
    expect(await words('up', '--types', '')).toEqual(['supervisor', ...shipped, 'scribe']);
    expect(await words('worker', '--types', 'files,s')).toEqual(['files,supervisor', 'files,scribe']);
  });

  it('offers backends and abilities', async () => {
    expect(await words('swap', asking, '')).toEqual(['main', 'other']);
    expect(await words('dispatch', '--needs', 'files,s')).toEqual(['files,summarize', 'files,spare']);
  });

  it('offers tasks, their open question and its choices', async () => {
    expect(await words('answer', '')).toEqual(['all', asking]);
    await world.cox(['inbox']);
    expect(await words('answer', '')).toEqual(['1', 'all', asking]);
    expect(await words('answer', asking, '')).toEqual(['q1']);
    expect(await words('answer', asking, 'q1', '')).toEqual(['deep red', 'blue']);
    expect(await words('answer', asking, 'q7', '')).toEqual([]);
  });

  it('offers ended tasks only for commands that take them', async () => {
    const { value } = await world.json<{ id: string }>(['dispatch', 'reasoning', 'end soon']);
    const call = await world.model.next((it) => isWorking(it) && it.texts('user').join().includes('end soon'));
    call.reply('ended');
    await world.cox(['result', value.id]);
    expect(await words('result', value.id)).toEqual([value.id]);
    expect(await words('steer', value.id)).toEqual([]);
  });

  it('offers nothing where nothing is known, and prints no error', async () => {
    expect(await world.cox(['complete', '--', 'answer', 'zzzz.0', ''])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await words('--namespace', 'elsewhere', 'steer', '')).toEqual([]);
    expect(await words('--roster', '/nowhere.yaml', 'dispatch', '')).toEqual([]);
  });
});

it('bash takes the script and completes by it', async () => {
  const bash = async (...line: string[]) => {
    const quoted = line.map((word) => `'${word}'`).join(' ');
    const script = `source <(cox completion bash); COMP_WORDS=(cox ${quoted}); COMP_CWORD=${line.length}; _cox; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await promisify(execFile)('bash', ['-c', script], { env, cwd: world.workspace });
    return stdout.trim().split('\n');
  };
  expect(await bash('st')).toEqual(['start', 'status', 'steer']);
  expect(await bash('answer', asking, 'q1', 'd')).toEqual(['deep red']);
  expect(await bash('run', '--plan', 'pl')).toEqual(expect.arrayContaining(['plan.yaml', 'planes']));
  expect(await bash('--workspace', 'pl')).toEqual(['planes']);
});

const isHere = (shell: string): boolean => {
  try {
    return execFileSync(shell, ['-c', 'echo here'], { encoding: 'utf8' }) === 'here\n';
  } catch {
    return false;
  }
};

describe.skipIf(!isHere('fish'))('fish', () => {
  it('takes the script and completes by it', async () => {
    const fish = async (line: string) => {
      const script = `cox completion fish | source; complete -C '${line}'`;
      const { stdout } = await promisify(execFile)('fish', ['--no-config', '-c', script], { env, cwd: world.workspace });
      return stdout
        .trim()
        .split('\n')
        .map((word) => word.split('\t')[0]);
    };
    expect(await fish('cox st')).toEqual(['start', 'status', 'steer']);
    expect(await fish('cox up --types files,r')).toEqual(['files,reasoning']);
    expect(await fish('cox run --plan pl')).toEqual(expect.arrayContaining(['plan.yaml', 'planes/']));
    expect(await fish('cox --workspace pl')).toEqual(['planes/']);
  });
});

describe.skipIf(!isHere('zsh'))('zsh', () => {
  it('takes the script and completes by it', async () => {
    const zsh = new Terminal({ command: 'zsh', args: ['-f', '-i'], env: { ...env, PS1: '> ' }, cwd: world.workspace });
    try {
      zsh.enter('autoload -U compinit && compinit -u -D && source <(cox completion zsh) && print rea""dy');
      await zsh.line(/^ready$/);
      zsh.type('cox statu\tx');
      await zsh.line(/> cox status x$/);
      zsh.type('\u0015cox up --types files,rea\t');
      await zsh.line(/> cox up --types files,reasoning/);
      zsh.type('\u0015cox run --plan plan.\t');
      await zsh.line(/> cox run --plan plan\.yaml/);
      zsh.type('\u0015cox answer \t');
      await zsh.line(new RegExp(`> cox answer ${asking}`));
      zsh.type('\u0015cox st\t');
      await zsh.line(/status +-- what a task is doing/);
    } finally {
      zsh.kill();
    }
  });
});
