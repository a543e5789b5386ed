/** Several nodes in one crew: how they join, what they report, and how they leave. */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { joinCrew } from '../../actors/node/library-api.ts';
import { type DeadLetter, type NodeReport, type Result, type Status, TaskSpec } from '../../bus/messages.ts';
import { openDeadStream } from '../../bus/queue/dead-letter-stream.ts';
import { isAlive } from '../../platform/process-identity.ts';
import { heldWrites } from './support/held-writes.ts';
import { isWorking, type Running, World } from './support/world.ts';

let world: World;
beforeEach(async ({ onTestFailed }) => {
  const made = await World.make();
  world = made;
  onTestFailed(() => console.error(made.story()));
});
afterEach(() => world.stop());

const callAbout = (text: string) => world.model.next((call) => isWorking(call) && call.texts('user').join('\n').includes(text));
const nodes = async () => (await world.json<{ nodes: NodeReport[] }>(['nodes'])).value.nodes;
async function node(...given: (string | NodeJS.ProcessEnv)[]): Promise<{ running: Running; name: string }> {
  const args = given.filter((it) => typeof it === 'string');
  const env = given.find((it) => typeof it === 'object');
  const running = world.start([...args, '--json'], { stdin: null, ...(env && { env }) });
  const [, name] = await running.says('stdout', /"node":"([^"]+)"/);
  return { running, name: name! };
}

describe('cox worker', () => {
  it('joins a crew from another machine and takes only its types', async () => {
    await node('up', '--types', 'files');
    // The other machine shares nothing but the address of the server.
    const { port, user, password } = await server();
    const env = { NATS_URL: `nats://127.0.0.1:${port}`, NATS_USER: user, NATS_PASSWORD: password };
    const elsewhere = { ...env, XDG_STATE_HOME: join(world.folder, 'elsewhere') };
    const worker = await node('worker', '--types', 'reasoning', '--slots', '2', elsewhere);
    const { value } = await world.json<{ id: string }>(['dispatch', 'reasoning', 'for the worker']);
    const other = await world.json<{ id: string }>(['dispatch', 'files', 'for the other']);
    const [call, otherCall] = [await callAbout('for the worker'), await callAbout('for the other')];
    const found = await nodes();
    expect(found).toHaveLength(2);
    const [up, joined] = found as [NodeReport, NodeReport];
    expect(joined).toMatchObject({ name: worker.name, pid: worker.running.process.pid, types: ['reasoning'], slots: 2, held: 1 });
    expect(joined.tasks).toMatchObject([{ id: value.id, type: 'reasoning', state: 'thinking' }]);
    expect(up).toMatchObject({ types: ['files'], slots: 8, tasks: [{ id: other.value.id }] });
    const { stdout } = await world.cox(['nodes']);
    expect(stdout).toContain(worker.name);
    expect(stdout).toContain(`${value.id} reasoning`);
    call.reply('mine');
    otherCall.reply('theirs');
    expect((await world.cox(['result', value.id])).stdout).toBe('mine\n');
  });

  it('needs a crew and starts none', async () => {
    const { code, value } = await world.json<{ error: { code: string } }>(['worker']);
    expect(code).toBe(6);
    expect(value.error.code).toBe('no-crew');
  });

  it.each(['up', 'worker'])('refuses an unknown type before anything starts (%s)', async (command) => {
    const { code, value } = await world.json<{ error: { code: string; message: string } }>([
      command,
      '--types',
      'files,painting',
    ]);
    expect(code).toBe(2);
    expect(value.error).toMatchObject({ code: 'unknown-type', message: expect.stringContaining('"painting"') });
    expect((await world.json<{ error: { code: string } }>(['nodes'])).value.error.code).toBe('no-crew');
  });
});

describe('dispatch', () => {
  it('says when no node works on the type', async () => {
    await node('up', '--types', 'files');
    expect((await world.cox(['dispatch', 'reasoning', 'anyone?'])).stderr).toMatch(/No node is up that works on reasoning/);
    expect((await world.cox(['dispatch', 'files', 'anyone?'])).stderr).toBe('');
  });

  it('says when no backend of the roster can do the task, and why', async () => {
    await node('up');
    const { code, stderr } = await world.cox(['dispatch', 'files', 'fly', '--needs', 'flying']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/no backend can do it \(needs flying\).* [a-z0-9]+\.0 will ask what to do/s);
    const cannot = await world.cox(['dispatch', 'supervisor', 'split', '--backend', 'other']);
    expect(cannot.stderr).toMatch(/other was asked for, but it cannot orchestrate/);
  });
});

describe('cox dead', () => {
  it('lists dead letters, retries one and drops another', async () => {
    const { running } = await node('up');
    expect((await world.cox(['dead'])).stdout).toBe('No dead letters.\n');
    await bury('dead1', 'worth another try');
    await bury('dead2', 'never mind');
    const listed = await world.cox(['dead']);
    expect(listed.code).toBe(0);
    expect(listed.stdout).toMatch(/dead1\.0 {2}reasoning {2}5 workers were lost/);
    expect(listed.stdout).toContain('last with lost-1, lost-2');
    const { value } = await world.json<{ letters: DeadLetter[] }>(['dead']);
    expect(value.letters.map(({ id }) => id)).toEqual(['dead1.0', 'dead2.0']);

    const retried = await world.json<{ how: string; as: string }>(['dead', 'retry', 'dead1']);
    expect(retried).toMatchObject({ code: 0, value: { how: 'dispatched', id: 'dead1.0' } });
    (await callAbout('worth another try')).reply('better now');
    expect((await world.cox(['result', retried.value.as])).stdout).toBe('better now\n');
    expect(await world.cox(['dead', 'drop', 'dead2.0'])).toMatchObject({ code: 0, stdout: 'dead2.0 is dropped\n' });
    expect((await world.json(['dead'])).value).toEqual({ letters: [], next: null, more: 0 });

    expect(await world.json(['dead', 'retry', 'dead1'])).toMatchObject({ code: 3, value: { error: { code: 'unknown-letter' } } });
    expect(await world.json(['dead', 'retry'])).toMatchObject({ code: 2 });
    expect(await world.json(['dead', 'wake', 'dead1'])).toMatchObject({ code: 2 });
    running.process.kill('SIGTERM');
    expect((await running.ended).code).toBe(0);
  });

  it('works at the prompt, as `cox nodes` does', async () => {
    const { name } = await node('up');
    await bury('dead1', 'dropped at the prompt');
    const { code, stdout } = await world.cox([], { stdin: '/nodes\n/dead\n/dead drop dead1\n/dead\n/dead wake\n' });
    expect(code).toBe(0);
    expect(stdout).toContain(name);
    expect(stdout).toMatch(/dead1\.0 {2}reasoning.*dead1\.0 is dropped.*No dead letters.*There is no "\/dead wake"/s);
  });
});

/** Publishes a dead letter as a worker does that ends a task as poison. */
async function bury(root: string, instruction: string): Promise<void> {
  const signal = AbortSignal.timeout(120_000);
  const joined = await joinCrew({ env: world.env, start: false, signal, log: pino({ level: 'silent' }) });
  const letter: DeadLetter = {
    kind: 'task',
    id: `${root}.0`,
    type: 'reasoning',
    why: '5 workers were lost while they held it, and none got any further',
    claims: 5,
    nodes: ['lost-1', 'lost-2'],
    spec: TaskSpec.parse({ type: 'reasoning', instruction }),
    parent: null,
    key: null,
    retriedAs: null,
    at: new Date().toISOString(),
  };
  await openDeadStream(joined.bus);
  await joined.bus.js.publish(joined.bus.subjects.letter(letter.id), JSON.stringify(letter));
  await joined.close();
}

describe('a node that gets a signal', () => {
  it('reports the tasks that it holds, and is shown as draining', async () => {
    const { held, running, pipe } = await stuck();
    running.process.kill('SIGTERM');
    await running.says('stderr', new RegExp(`Draining.*${held} \\(files, acting`));
    expect(await nodes()).toMatchObject([{ draining: true, tasks: [{ id: held, state: 'acting' }] }]);
    // Once the pipe has a reader, the write ends: the task is requeued and the node ends.
    const reader = await open(pipe, 'r+');
    expect((await running.ended).code).toBe(0);
    await reader.close();
  });

  it('stops at once at the second signal although a tool never returns: nothing is lost and no process stays', async () => {
    const { held, running } = await stuck();
    const { pid } = await server();
    running.process.kill('SIGTERM');
    await running.says('stderr', /Draining/);
    running.process.kill('SIGINT');
    const { code, stderr } = await running.ended;
    // A write that hangs in the kernel does not let the process exit.
    expect(code === 11 || running.process.signalCode === 'SIGKILL').toBe(true);
    expect(stderr).toMatch(new RegExp(`Stopped at once. Taken over by other nodes: ${held}`));
    expect(isAlive(pid)).toBe(false);
    await node('up');
    // The interrupted call runs again: a write of a file is idempotent.
    (await world.model.next((call) => call.texts('tool').join().includes('wrote'))).reply('done after all');
    expect((await world.json<Result>(['result', held])).value).toMatchObject({ outcome: 'completed', output: 'done after all' });
  });

  it('reports its tasks too when it runs behind a prompt that is left, and a second signal stops it at once', async () => {
    const { held, running } = await stuck(async (env) => {
      const prompt = world.start([], { stdin: null, env });
      prompt.process.stdin.write('/nodes\n');
      await prompt.says('stdout', /slots/);
      return prompt;
    });
    running.process.kill('SIGTERM');
    await running.says('stderr', new RegExp(`Draining.*${held} \\(files, acting`));
    running.process.kill('SIGINT');
    const { code, stderr } = await running.ended;
    expect(code === 11 || running.process.signalCode === 'SIGKILL').toBe(true);
    expect(stderr).toMatch(new RegExp(`Stopped at once. Taken over by other nodes: ${held}`));
  });

  it('stops at once at the second signal although the bus no longer answers', async () => {
    const { running } = await node('up');
    const { value } = await world.json<{ id: string }>(['dispatch', 'reasoning', 'think']);
    await callAbout('think');
    const { pid } = await server();
    process.kill(pid, 'SIGSTOP');
    running.process.kill('SIGTERM');
    await running.says('stderr', /Draining/);
    running.process.kill('SIGINT');
    expect((await running.ended).code).toBe(11);
    // The node does not end a frozen server, which others may wait for. The next terminal joins it, and ends it as the last to
    // leave.
    process.kill(pid, 'SIGCONT');
    expect((await world.json<Status>(['status', value.id])).value).toMatchObject({ state: 'thinking', outcome: null });
    expect(isAlive(pid)).toBe(false);
  });

  it('requeues tasks at the first signal when only a model call is in flight', async () => {
    const { running } = await node('up');
    await world.json(['dispatch', 'reasoning', 'think']);
    await callAbout('think');
    running.process.kill('SIGTERM');
    expect((await running.ended).code).toBe(0);
  });
});

const server = async () =>
  JSON.parse(await readFile(join(world.state, 'nats', 'server.json'), 'utf8')) as {
    pid: number;
    port: number;
    user: string;
    password: string;
  };

/** A node in the middle of a write that does not end. */
async function stuck(
  start = async (env: NodeJS.ProcessEnv) => (await node('up', env)).running,
): Promise<{ held: string; running: Running; pipe: string }> {
  await world.roster('tools: { gated: [] }');
  const { pipe, env } = heldWrites(world.folder);
  const running = await start(env);
  const { value } = await world.json<{ id: string }>(['dispatch', 'files', 'write it down']);
  const watch = world.start(['watch', value.id, '--json'], { stdin: null });
  (await callAbout('write it down')).call('write_file', { path: 'out.txt', text: 'words' });
  await watch.says('stdout', /"state":"acting"/);
  watch.process.kill('SIGTERM');
  await watch.ended;
  return { held: value.id, running, pipe };
}
