import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readProcessNote, serverPaths } from '../../bus/embedded/server-record.ts';
import { foldersOf } from '../../platform/folders.ts';
import { isPlanning, isReducing, planOf, World } from './support/world.ts';

let world: World;
beforeEach(async ({ onTestFailed }) => {
  const made = await World.make();
  world = made;
  onTestFailed(() => console.error(made.story()));
});
afterEach(() => world.stop());

const notice = 'No crew is running: this command uses what is stored.\n';
const server = () => readProcessNote(serverPaths(foldersOf(world.env)));

/** Runs a goal to its end. Nothing is up afterwards. */
async function finished(): Promise<string> {
  world.model.answer((call) => {
    if (isPlanning(call)) call.reply(planOf(['left', 'right']));
    else if (isReducing(call)) call.reply('Both are found.');
    else call.reply('found');
  });
  const { value } = await world.json<{ id: string }>(['run', 'Find both']);
  expect(server()).toBeNull();
  return value.id;
}

describe('without a running crew', () => {
  it('what is stored can be read, and nothing is left running', async () => {
    const id = await finished();
    const result = await world.cox(['result', id]);
    expect(result).toMatchObject({
      ...{ code: 0, stdout: expect.stringContaining('Both are found.') },
      stderr: `${notice}${id} changed nothing\n`,
    });
    expect(await world.cox(['tree', id])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('completed'),
      stderr: notice,
    });
    expect(await world.cox(['status', '--all'])).toMatchObject({ code: 0, stdout: expect.stringContaining(id), stderr: notice });
    expect(await world.cox(['inbox'])).toMatchObject({ code: 0, stdout: 'No open questions.\n', stderr: notice });
    expect(server()).toBeNull();
  });

  it('commands that read at the same time, and a node that starts meanwhile, do not hurt each other', async () => {
    const id = await finished();
    const reads = () => [['result', id], ['status', '--all'], ['tree', id], ['inbox']].map((args) => world.cox(args));
    for (const { code } of await Promise.all([...reads(), ...reads()])) expect(code).toBe(0);
    expect(server()).toBeNull();
    const early = reads();
    const node = world.start(['up', '--json'], { stdin: null });
    await node.says('stdout', /"node"/);
    for (const { code } of await Promise.all([...early, ...reads()])) expect(code).toBe(0);
    // The node works on, and its server was not stopped by the readers that have left.
    const { value } = await world.json<{ id: string }>(['dispatch', 'reasoning', 'one more']);
    expect((await world.cox(['result', value.id])).stdout).toBe('found\n');
    node.process.kill('SIGTERM');
    expect((await node.ended).code).toBe(0);
  });

  it('a message to a task that has ended is told as returned, and not as one that the next node takes up', async () => {
    const id = await finished();
    for (const args of [
      ['steer', id, 'and be brief'],
      ['answer', id, 'q1', 'yes'],
      ['cancel', id],
    ]) {
      const { code, value } = await world.json<{ receipts: { reason: string; kind: string }[] }>(args);
      expect({ code, receipts: value.receipts }).toMatchObject({
        code: 4,
        receipts: [{ kind: args[0], fate: 'returned', reason: 'the task has ended: completed' }],
      });
    }
    const told = await world.cox(['steer', id, 'and be brief']);
    expect(told.stdout).toContain('the task has ended: completed');
    expect(told.stderr).toBe(notice);
  });

  it('a result that is not there yet is not waited for, and a message is stored for the next node', async () => {
    const { value } = await world.json<{ id: string }>(['dispatch', 'reasoning', 'later']);
    expect(await world.cox(['result', value.id])).toMatchObject({
      code: 10,
      stderr: expect.stringMatching(/next cox or cox up/),
    });
    expect(await world.json(['steer', value.id, 'and be brief'])).toMatchObject({ code: 0, value: { fate: 'sent' } });
    const node = world.start(['up', '--json'], { stdin: null });
    const call = await world.model.next();
    expect(call.texts('user').join('\n')).toContain('and be brief');
    call.reply('done');
    expect((await world.cox(['result', value.id])).stdout).toBe('done\n');
    node.process.kill('SIGTERM');
    await node.ended;
  });

  it('a command that waits for a receipt ends when the only node is killed, and says that the message is stored', async () => {
    const node = world.start(['up', '--json'], { stdin: null });
    await node.says('stdout', /"node"/);
    const { value } = await world.json<{ id: string }>(['dispatch', 'reasoning', 'long']);
    await world.model.next();
    const steer = world.start(['steer', value.id, 'and be brief', '--after']);
    await steer.says('stdout', /accepted|queued|taken/);
    node.process.kill('SIGKILL');
    expect(await steer.ended).toMatchObject({ code: 0, stderr: expect.stringMatching(/next cox or cox up/) });
  });
});
