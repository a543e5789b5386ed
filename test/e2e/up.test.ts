import { execFileSync } from 'node:child_process';
import { copyFile, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isWorking, World } from './support/world.ts';

let world: World;
beforeEach(async ({ onTestFailed }) => {
  const made = await World.make();
  world = made;
  onTestFailed(() => console.error(made.story()));
});
afterEach(() => world.stop());

describe('cox up', () => {
  it('works on tasks that were dispatched before any node was up', async () => {
    const { code, stdout, stderr } = await world.cox(['dispatch', 'reasoning', 'wait for me']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/No node is up/);
    const node = world.start(['up'], { stdin: null });
    (await world.model.next(isWorking)).reply('here I am');
    expect((await world.cox(['result', stdout.trim()])).stdout).toBe('here I am\n');
    node.process.kill('SIGTERM');
    expect((await node.ended).code).toBe(0);
  });

  it('drains at the first signal, and another node goes on with its tasks', async () => {
    const first = world.start(['up', '--json'], { stdin: null });
    await first.says('stdout', /"node"/);
    const { value } = await world.json<{ id: string }>(['dispatch', 'reasoning', 'be handed over']);
    await world.model.next(isWorking);
    const second = world.start(['up', '--json'], { stdin: null });
    await second.says('stdout', /"node"/);
    first.process.kill('SIGTERM');
    expect((await first.ended).code).toBe(0);
    (await world.model.next(isWorking)).reply('handed over');
    expect((await world.cox(['result', value.id])).stdout).toBe('handed over\n');
  });

  it('opens a console beside the node, which ends with it', async () => {
    const node = world.start(['up', '--console', '--json'], { stdin: null });
    const [, said] = await node.says('stdout', /^(\{.*\})\n/);
    const { url, link } = (JSON.parse(said!) as { console: { url: string; link: string } }).console;
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#open=[\w-]{43}$/);
    expect((await fetch(url)).status).toBe(200);
    const { port } = new URL(url);
    const second = await world.cox(['console', '--no-open', '--port', port]);
    expect([second.code, second.stdout]).toEqual([2, '']);
    expect(second.stderr).toContain(`The port ${port} of 127.0.0.1 is taken`);
    node.process.kill('SIGTERM');
    expect((await node.ended).code).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
  });

  it('leaves in order when the signal comes during the start, and does not print that it is up', async () => {
    const roster = join(world.folder, 'slow-roster.yaml');
    execFileSync('mkfifo', [roster]);
    const node = world.start(['up', '--roster', roster], { stdin: null });
    // Opens once the node reads the other end.
    const pipe = await open(roster, 'w');
    node.process.kill('SIGTERM');
    await pipe.writeFile(await readFile(join(world.folder, 'roster.yaml'), 'utf8'));
    await pipe.close();
    expect(await node.ended).toMatchObject({ code: 143, stdout: '', stderr: expect.stringContaining('Draining.') });
  });

  it('takes only tasks of the given types', async () => {
    const node = world.start(['up', '--types', 'files', '--json'], { stdin: null });
    await node.says('stdout', /"node"/);
    const other = await world.json<{ id: string }>(['dispatch', 'reasoning', 'not for you']);
    const own = await world.json<{ id: string }>(['dispatch', 'files', 'for you']);
    (await world.model.next((call) => call.texts('user').join().includes('for you'))).reply('mine');
    expect((await world.cox(['result', own.value.id])).stdout).toBe('mine\n');
    expect((await world.json<{ state: string }>(['status', other.value.id])).value.state).toBe('idle');
  });
});

it('a roster in the working folder is used, and a note says so, since it may have come with the folder', async () => {
  await copyFile(join(world.folder, 'roster.yaml'), join(world.workspace, 'roster.yaml'));
  const node = world.start(['up', '--json'], { stdin: null, env: { COX_ROSTER: '' } });
  await node.says('stderr', /The roster of this folder is in use: .*workspace\/roster\.yaml/);
  await node.says('stdout', /"node"/);
});
