import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { heldWrites } from './support/held-writes.ts';
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
    expect(stdout).toBe('Both are found.\n');
    expect(stderr).toMatch(/[a-z0-9]+\.0 changed nothing/);
    expect(stderr).toMatch(/supervisor decomposing/);
    expect(stderr).toMatch(/✓ [a-z0-9]+\.2 .*found/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: no sequence of any kind in a pipe
    expect(stdout + stderr).not.toMatch(/\u001b/);
  });

  it('takes a plan or a roster from stdin, whatever stdin is, and refuses to take two things from it', async () => {
    play();
    const plan = 'tasks:\n  - { key: left, type: reasoning, instruction: look }\nreduce: { by: concat }\n';
    const planned = await world.cox(['run', '--plan', '-', 'Find it'], { stdin: plan });
    expect(planned).toMatchObject({ code: 0, stdout: expect.stringContaining('found') });
    expect(world.model.calls.some(isPlanning)).toBe(false);
    const roster = await readFile(join(world.folder, 'roster.yaml'), 'utf8');
    const menu = await world.json<{ roster: { file: string } }>(['menu', '--roster', '-'], { stdin: roster });
    expect(menu).toMatchObject({ code: 0 });
    expect((await world.cox(['run', 'Find it', '--roster', '-'], { stdin: roster })).code).toBe(0);
    for (const args of [
      ['-', '--plan', '-'],
      ['-', '--roster', '-'],
      ['x', '--plan', '-', '--roster', '-'],
    ])
      expect(await world.json(['run', ...args], { stdin: plan })).toMatchObject({ code: 2 });
    const broken = await world.json<{ error: { message: string } }>(['run', 'x', '--plan', '-'], { stdin: 'tasks: 1' });
    expect(broken).toMatchObject({ code: 2, value: { error: { message: expect.stringContaining('stdin: tasks') } } });
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
    await terminal.line(/├─ [a-z0-9]+\.1 left · reasoning · thinking/);
    for (const call of calls) call.reply('found');
    (await world.model.next(isReducing)).reply('Both are found.');
    expect(await terminal.exited).toBe(0);
    const roots = terminal.lines.filter((line) => / · supervisor · /.test(line));
    expect(roots).toEqual([expect.stringMatching(/completed/)]);
    expect(terminal.lines).toContain('Both are found.');
  });

  it('draws the tree anew when the terminal is resized, and loses and doubles no line', async () => {
    const terminal = world.terminal(['run', 'Find both'], { columns: 100 });
    (await world.model.next(isPlanning)).reply(planOf(['left', 'right']));
    const calls = [await world.model.next(isWorking), await world.model.next(isWorking)];
    await terminal.line(/└─ [a-z0-9]+\.2 right · reasoning · thinking/);
    for (const columns of [40, 30, 80]) {
      terminal.resize(columns);
      await terminal.until(
        () => terminal.lines.filter((line) => /^[a-z0-9]+\.0 · supervisor/.test(line)).length === 1,
        'one tree',
      );
    }
    for (const call of calls) call.reply('found');
    (await world.model.next(isReducing)).reply('Both are found.');
    expect(await terminal.exited).toBe(0);
    expect(terminal.lines.filter((line) => / · supervisor · /.test(line))).toHaveLength(1);
    expect(terminal.lines.filter((line) => /[├└]─ /.test(line))).toHaveLength(2);
  });

  it('shows a question with the words that answer it from another terminal', async () => {
    const running = world.start(['run', 'Write it', '--on-question', 'wait'], { stdin: null });
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

  it('ends with the question and its exit code when the goal cannot be planned', async () => {
    await world.roster('supervision: { on_failure: escalate }');
    world.model.answer((call) => call.fail(400, 'no such model'));
    const running = world.start(['run', 'Find both'], { stdin: null });
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 12, stdout: '' });
    expect(stderr).toMatch(/No plan was made: .*no such model/);
  });
});

const writing = { path: 'a.txt', text: 'x' };
const callAbout = (text: string) => world.model.next((call) => isWorking(call) && call.texts('user').join('\n').includes(text));

describe('cox run, asked without a terminal', () => {
  it('finishes what needs no answer, says what was asked, and keeps the goal, which goes on once it is answered', async () => {
    const running = world.start(['run', 'Write it', '--json'], { stdin: null });
    (await world.model.next(isPlanning)).reply(planOf(['asks', 'works'], 'files'));
    (await callAbout('Do asks')).call('write_file', writing);
    await running.says('stderr', /wants approval: .*a\.txt/);
    const other = await callAbout('Do works');
    // The other sub-task still works, so the run goes on.
    other.reply('worked');
    const { code, stdout, stderr } = await running.ended;
    expect(code).toBe(12);
    const { id, questions } = JSON.parse(stdout) as { id: string; questions: object[] };
    expect(JSON.parse(stdout)).toMatchObject({ outcome: null, answer: null, tasks: [{ id }, {}, { outcome: 'completed' }] });
    expect(questions).toMatchObject([{ number: 1, key: 'asks', goal: id, question: { kind: 'approval' } }]);
    expect(stderr).toMatch(/no operator is here[\s\S]*1 {2}\S+ asks wants approval[\s\S]*cox inbox and cox answer/);

    // No crew is up any more: what is stored is enough to read and to answer.
    const listed = await world.cox(['inbox']);
    expect(listed).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/a\.txt/),
      stderr: expect.stringMatching(/No crew is running/),
    });
    const answered = await world.cox(['answer', '1', 'approve']);
    expect(answered).toMatchObject({ code: 0, stderr: expect.stringMatching(/Stored. No node is up/) });
    const node = world.start(['up', '--json'], { stdin: null });
    (await callAbout('Do asks')).reply('written');
    (await world.model.next(isReducing)).reply('It is written.');
    expect((await world.cox(['result', id])).stdout).toContain('It is written.');
    node.process.kill('SIGTERM');
    await node.ended;
  });

  it('with `deny` denies approvals, answers other questions, and goes on to the end', async () => {
    const running = world.start(['run', 'Write it', '--on-question', 'deny'], { stdin: null });
    (await world.model.next(isPlanning)).reply(planOf(['asks', 'wonders'], 'files'));
    (await callAbout('Do asks')).call('write_file', writing);
    (await callAbout('Do wonders')).call('ask_operator', { question: 'Which colour?' });
    const [denied, told] = [await callAbout('Do asks'), await callAbout('Do wonders')];
    expect(denied.texts('tool').join()).toContain('not run');
    expect(told.texts('tool').join()).toContain('No operator is here');
    denied.reply('nothing written');
    told.reply('any colour');
    (await world.model.next(isReducing)).reply('Nothing is written.');
    const { code, stderr } = await running.ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(/answer applied at step 1: denied/);
  });

  it('refuses another word for --on-question', async () => {
    expect(await world.json(['run', 'x', '--on-question', 'yes'])).toMatchObject({
      code: 2,
      value: { error: { code: 'usage' } },
    });
  });
});

describe('cox run on a terminal', () => {
  it('asks in place, asks again where the answer is unclear, and goes on', async () => {
    const terminal = world.terminal(['run', 'Write it']);
    (await world.model.next(isPlanning)).reply(planOf(['asks', 'wonders'], 'files'));
    (await callAbout('Do asks')).call('write_file', writing);
    await terminal.line(/wants approval: May it run write_file/);
    await terminal.line(/^answer \S+ q1: *$/);
    (await callAbout('Do wonders')).call('ask_operator', { question: 'Which colour?' });
    terminal.enter('yes, but only once');
    await terminal.line(/answer returned: question q1 stays open/);
    await terminal.until(() => /^answer \S+\.1 q1: *$/.test(terminal.cursor.line), 'the question again');
    terminal.enter('');
    terminal.enter('yes');
    await terminal.line(/answer applied at step 1: allowed/);
    const asks = await callAbout('Do asks');
    await terminal.line(/asks: Which colour\?/);
    await terminal.until(() => /^answer \S+\.2 q1:/.test(terminal.cursor.line), 'the second question');
    terminal.enter('dark blue');
    const wonders = await callAbout('Do wonders');
    expect(wonders.texts('tool').join()).toContain('dark blue');
    asks.reply('written');
    wonders.reply('blue');
    (await world.model.next(isReducing)).reply('It is written.');
    expect(await terminal.exited).toBe(0);
    expect(terminal.lines).toContain('It is written.');
  });

  it('lets go of a question that is answered elsewhere, and cancels at Ctrl-C while it asks', async () => {
    const terminal = world.terminal(['run', 'Write it']);
    (await world.model.next(isPlanning)).reply(planOf(['asks', 'wonders'], 'files'));
    (await callAbout('Do asks')).call('write_file', writing);
    const line = await terminal.line(/^answer \S+ q1:/);
    const id = /answer (\S+)/.exec(line)![1]!;
    await world.cox(['answer', id, 'q1', 'no']);
    await terminal.line(/q1 is not open any more/);
    (await callAbout('Do asks')).reply('not written');
    (await callAbout('Do wonders')).call('ask_operator', { question: 'Which colour?' });
    await terminal.until(() => /^answer \S+\.2 q1:/.test(terminal.cursor.line), 'the second question');
    terminal.interrupt();
    expect(await terminal.exited).toBe(130);
    expect(terminal.lines.join('\n')).toMatch(/Cancelling[\s\S]*cancelled after/);
  });
});

describe('cox run that ends', () => {
  it('with 11 if a second signal stops its node while it still holds a task', async () => {
    await world.roster('tools: { gated: [] }');
    const running = world.start(['run', 'Find both'], { stdin: null, env: heldWrites(world.folder).env });
    (await world.model.next(isPlanning)).reply(planOf(['left']));
    const left = await callAbout('Do left');
    // Another task on the node of this run is in a write that does not end.
    const { value } = await world.json<{ id: string }>(['dispatch', 'files', 'write it down']);
    const write = await callAbout('write it down');
    const watch = world.start(['watch', value.id, '--json'], { stdin: null });
    await watch.says('stdout', /"kind":"status"/);
    write.call('write_file', writing);
    await watch.says('stdout', /"state":"acting"/);
    watch.process.kill('SIGTERM');
    left.reply('found');
    (await world.model.next(isReducing)).reply('It is found.');
    await running.says('stderr', new RegExp(`Draining.*${value.id}`));
    running.process.kill('SIGINT');
    const { code, stdout } = await running.ended;
    // A write that hangs in the kernel does not let the process exit.
    expect(code === 11 || running.process.signalCode === 'SIGKILL').toBe(true);
    expect(stdout).toContain('It is found.');
  });
});
