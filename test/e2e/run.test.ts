import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isPlanning, isReducing, isWorking, planOf, World } from './support/world.ts';

let world: World;
beforeEach(async ({ onTestFailed }) => {
  const made = await World.make();
  world = made;
  onTestFailed(() => console.error(made.story()));
});
afterEach(() => world.stop());

/** The model’s part: two sub-tasks, each answered by `work`. */
function play(work = 'found'): void {
  world.model.answer((call) => {
    if (isPlanning(call)) call.reply(planOf(['left', 'right']));
    else if (isReducing(call)) call.reply('Both are found.');
    else call.reply(work);
  });
}

describe('cox run', () => {
  it('prints only the answer on stdout, and the tree on stderr', async () => {
    play();
    const { code, stdout, stderr } = await world.cox(['run', 'Find', 'both']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Both are found\.\n\nSources: left \([a-z0-9]+\.1\), right \([a-z0-9]+\.2\)\n$/);
    expect(stderr).toMatch(/supervisor decomposing/);
    expect(stderr).toMatch(/✓ [a-z0-9]+\.2 .*found/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: no sequence of any kind in a pipe
    expect(stdout + stderr).not.toMatch(/\u001b/);
  });

  it('takes the goal from stdin', async () => {
    play();
    const { code } = await world.cox(['run', '-'], { stdin: 'Find both\nof them\n' });
    expect(code).toBe(0);
    expect(world.model.calls.find(isPlanning)?.texts('user').at(-1)).toContain('Find both\nof them');
  });

  it('prints one JSON object with the answer, the tree and the cost', async () => {
    play();
    const { code, value } = await world.json<{ tasks: { id: string }[] }>(['run', 'Find both']);
    expect(code).toBe(0);
    expect(value).toMatchObject({
      id: expect.stringMatching(/^[a-z0-9]+\.0$/),
      outcome: 'completed',
      answer: expect.stringContaining('Both are found.'),
      usage: { inputTokens: 40, outputTokens: 20, costUsd: 0 },
    });
    expect(value.tasks).toHaveLength(3);
  });

  it('redraws the tree in place on a terminal and leaves it complete', async () => {
    const terminal = world.terminal(['run', 'Find both']);
    (await world.model.next(isPlanning)).reply(planOf(['left', 'right']));
    const calls = [await world.model.next(isWorking), await world.model.next(isWorking)];
    await terminal.line(/├─ [a-z0-9]+\.1 · reasoning · thinking/);
    for (const call of calls) call.reply('found');
    (await world.model.next(isReducing)).reply('Both are found.');
    expect(await terminal.exited).toBe(0);
    const roots = terminal.lines.filter((line) => / · supervisor · /.test(line));
    expect(roots).toEqual([expect.stringMatching(/completed/)]);
    expect(terminal.lines).toContain('Both are found.');
  });

  it('shows a question with the words that answer it from another terminal', async () => {
    const running = world.start(['run', 'Write it'], { stdin: null });
    (await world.model.next(isPlanning)).reply(planOf(['only'], 'files'));
    (await world.model.next(isWorking)).call('write_file', { path: 'a.txt', text: 'x' });
    const [, words] = await running.says('stderr', /cox (answer [a-z0-9]+\.1 q1 approve)/);
    expect((await world.cox(words!.split(' '))).code).toBe(0);
    (await world.model.next(isWorking)).reply('written');
    (await world.model.next(isReducing)).reply('It is written.');
    expect((await running.ended).code).toBe(0);
  });

  it('cancels the goal at Ctrl-C, prints its findings, and exits with 130', async () => {
    const running = world.start(['run', 'Find both'], { stdin: null });
    (await world.model.next(isPlanning)).reply(planOf(['left', 'right']));
    const [first, second] = [await world.model.next(isWorking), await world.model.next(isWorking)];
    first!.reply('the left one');
    await running.says('stderr', /✓ .*the left one/);
    running.process.kill('SIGINT');
    expect(await second!.closed).toBe(true);
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toMatch(/Cancelling/);
    expect(stderr).toMatch(/cancelled after/);
  });

  it('leaves the goal to the next node at a second Ctrl-C', async () => {
    const running = world.start(['run', 'Find both'], { stdin: null });
    (await world.model.next(isPlanning)).reply(planOf(['left']));
    await world.model.next(isWorking);
    running.process.kill('SIGTERM');
    running.process.kill('SIGINT');
    const { code, stderr } = await running.ended;
    expect([130, 143]).toContain(code);
    expect(stderr).toMatch(/cox up|Cancelling/);
  });

  it('exits with 5 when another terminal cancels the goal, with its findings', async () => {
    const running = world.start(['run', 'Find both', '--json'], { stdin: null });
    (await world.model.next(isPlanning)).reply(planOf(['left']));
    await world.model.next(isWorking);
    const [, id] = await running.says('stderr', /([a-z0-9]+\.0) /);
    await world.cox(['cancel', id!]);
    const { code, stdout } = await running.ended;
    expect(code).toBe(5);
    expect(JSON.parse(stdout)).toMatchObject({ id, outcome: 'cancelled', answer: null });
  });

  it('fails with exit code 1 and the reason when the goal cannot be planned', async () => {
    await world.roster('supervision: { on_failure: escalate }');
    world.model.answer((call) => call.fail(400, 'no such model'));
    const running = world.start(['run', 'Find both'], { stdin: null });
    const seen = await Promise.race([running.ended, running.says('stderr', /is stuck|asks/)]);
    if (!('code' in seen)) {
      const [, id] = await running.says('stderr', /([a-z0-9]+\.0) /);
      await world.cox(['cancel', id!]);
    }
    const { code, stdout } = await running.ended;
    expect([1, 5]).toContain(code);
    expect(stdout).toBe('');
  });
});
