import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Terminal } from './support/terminal.ts';
import { isPlanning, isPrimary, isReducing, isWorking, planOf, World } from './support/world.ts';

let world: World;
beforeEach(async ({ onTestFailed }) => {
  const made = await World.make();
  world = made;
  onTestFailed(() => console.error(made.story()));
});
afterEach(() => world.stop());

const prompt = /^cox>/;
const up = '\u001b[A';

/** Starts a goal with one sub-task and waits for its model call. */
async function goalInFlight(terminal: Terminal, type = 'reasoning') {
  await terminal.line(prompt);
  terminal.enter('/run Find it out');
  (await world.model.next(isPlanning)).reply(planOf(['only'], type));
  const call = await world.model.next(isWorking);
  const line = await terminal.line(/^→ .*Find it out/);
  const root = /→ ([a-z0-9]+)\.0/.exec(line)![1]!;
  return { call, root };
}

const typedLine = (terminal: Terminal, text: string) =>
  terminal.until(() => terminal.cursor.line === `cox> ${text}`.trimEnd(), `the typed line "${text}"`);

describe('the prompt', () => {
  it('keeps a half-typed line while events are printed above it', async () => {
    const terminal = world.terminal();
    const { call, root } = await goalInFlight(terminal);
    const typed = `@${root}.1 use my work email, not the per`;
    terminal.type(typed);
    await typedLine(terminal, typed);
    const other = await world.cox(['steer', `${root}.1`, 'be brief', '--expect-step', '99']);
    expect(other.code).toBe(4);
    await terminal.line(/steer returned/);
    await typedLine(terminal, typed);
    expect(terminal.cursor.column).toBe(`cox> ${typed}`.length);
    terminal.enter('sonal one');
    const next = await world.model.next(isWorking);
    expect(await call.closed).toBe(true);
    expect(next.texts('user').join('\n')).toContain('use my work email, not the personal one');
    await terminal.line(/steer applied at step/);
    next.reply('done at work');
    (await world.model.next(isReducing)).reply('It is found.');
    await terminal.line(/^It is found\.$/);
    await typedLine(terminal, '');
  });

  it('keeps a line of several rows whole, with the cursor in the middle of it', async () => {
    const terminal = world.terminal([], { columns: 40, rows: 12 });
    const { root } = await goalInFlight(terminal);
    const typed = 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen';
    terminal.type(typed);
    await terminal.until(() => terminal.lines.at(-1) === 'rteen', 'the typed rows');
    // The cursor goes back into the middle row.
    terminal.type('\u001b[D'.repeat(45));
    for (let step = 91; step < 94; step += 1) {
      await world.cox(['steer', `${root}.1`, 'x', '--expect-step', String(step)]);
      await terminal.until(() => terminal.lines.filter((line) => /steer returned/.test(line)).length === step - 90, 'a receipt');
    }
    const whole = `cox> ${typed}`;
    const rows = [whole.slice(0, 40), whole.slice(40, 80), whole.slice(80)];
    await terminal.until(
      () => terminal.lines.slice(-3).join('|') === rows.map((row) => row.trimEnd()).join('|'),
      `the rows ${rows}`,
    );
    terminal.type('X');
    await terminal.until(
      () =>
        terminal.lines
          .slice(-3)
          .join('')
          .includes(`${whole.slice(0, 40)}X${whole.slice(40, 60)}`),
      'a letter in the middle',
    );
    expect(terminal.lines.filter((line) => line.startsWith('cox> one two')).length).toBe(1);
  });

  it('completes the id of a running task at Tab', async () => {
    const terminal = world.terminal();
    const { root } = await goalInFlight(terminal);
    await terminal.line(new RegExp(`${root}\\.1 reasoning`));
    terminal.type(`@${root.slice(0, 3)}`);
    await typedLine(terminal, `@${root.slice(0, 3)}`);
    terminal.type('\t');
    await typedLine(terminal, `@${root}.`);
    terminal.type('1\t');
    await typedLine(terminal, `@${root}.1`);
  });

  it('shows a question with the words that answer it, and takes an answer by the task', async () => {
    const terminal = world.terminal();
    const { call, root } = await goalInFlight(terminal, 'files');
    call.call('write_file', { path: 'a.txt', text: 'hello' });
    await terminal.line(new RegExp(`${root}\\.1 wants approval`));
    await terminal.line(new RegExp(`/answer ${root}\\.1 q1 approve`));
    terminal.enter('@.1? yes');
    await terminal.line(/answer applied/);
    (await world.model.next(isWorking)).reply('written');
    expect(readFileSync(join(world.workspace, 'a.txt'), 'utf8')).toBe('hello');
    (await world.model.next(isReducing)).reply('Done.');
    await terminal.line(/^Done\.$/);
  });

  it('offers the lines of the last session, in a file for its owner alone', async () => {
    const first = world.terminal();
    await first.line(prompt);
    first.enter('/tasks');
    await first.line(/No unfinished tasks/);
    first.enter('/quit');
    expect(await first.exited).toBe(0);
    expect(statSync(join(world.state, 'history')).mode & 0o777).toBe(0o600);
    const second = world.terminal();
    await second.line(prompt);
    second.type('\u001b[A\u001b[A');
    await typedLine(second, '/tasks');
  });

  it('says what would be right after a wrong command, id or type, and goes on', async () => {
    const terminal = world.terminal();
    await terminal.line(prompt);
    terminal.enter('/stat');
    await terminal.line(/There is no command \/stat/);
    terminal.enter('@zzzz.1 hello');
    await terminal.line(/No task zzzz\.1/);
    terminal.enter('/dispatch painter a picture');
    await terminal.line(/There are: supervisor, /);
    terminal.enter('/steer');
    await terminal.line(/Which task\?/);
    await typedLine(terminal, '');
  });

  it('has colours, and none with NO_COLOR', async () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the start of a colour sequence
    const colour = /\u001b\[3[0-9]m/;
    const terminals = [world.terminal([], { env: { NO_COLOR: '1' } }), world.terminal()];
    for (const terminal of terminals) {
      await terminal.line(prompt);
      terminal.enter('/menu');
      await terminal.line(/main/);
    }
    expect(terminals.map(({ raw }) => colour.test(raw))).toEqual([false, true]);
  });
});

describe('the primary', () => {
  it('answers word by word, and dispatches work whose result is shown', async () => {
    const terminal = world.terminal();
    await terminal.line(prompt);
    terminal.enter('Find it out, please');
    const first = await world.model.next(isPrimary);
    expect(first.texts('user').at(-1)).toContain('Find it out, please');
    terminal.type('meanwhile');
    first.say('I give that ').say('to a sub-agent.\nIt will ');
    await terminal.line(/^│ I give that to a sub-agent\.$/);
    await typedLine(terminal, 'meanwhile');
    first.end([{ tool: 'dispatch_task', args: { type: 'reasoning', instruction: 'find it' } }]);
    await terminal.line(/^→ [a-z0-9]+\.0 “find it”/);
    (await world.model.next(isPrimary)).reply('It is on it.');
    (await world.model.next(isWorking)).reply('found');
    await terminal.line(/^=> [a-z0-9]+\.0 is on it\.$/);
    await terminal.line(/^│ It is on it\.$/);
    await terminal.line(/^found$/);
    await typedLine(terminal, 'meanwhile');
  });

  it('answers each line in its turn, and shows the lines that wait', async () => {
    const terminal = world.terminal();
    await terminal.line(prompt);
    terminal.enter('First');
    const first = await world.model.next(isPrimary);
    first.say('One ');
    terminal.enter('Second');
    await terminal.line(/^ {2}waits, 1 before it: Second$/);
    terminal.enter('Third');
    await terminal.line(/^ {2}waits, 2 before it: Third$/);
    terminal.enter('!Urgent');
    expect(await first.closed).toBe(true);
    await terminal.line(/^│ One {1,2}…$/);
    (await world.model.next(isPrimary)).reply('At once.');
    await terminal.line(/^│ At once\.$/);
    const second = await world.model.next(isPrimary);
    expect(second.texts('user').at(-1)).toBe('Second');
    second.reply('Two.');
    await terminal.line(/^│ Two\.$/);
    const third = await world.model.next(isPrimary);
    expect(third.texts('user').at(-1)).toBe('Third');
    terminal.type('\u001b');
    expect(await third.closed).toBe(true);
    await terminal.until(() => terminal.lines.filter((line) => /^Interrupted\.$/.test(line)).length === 2, 'both interrupts');
    expect(terminal.lines.filter((line) => line.startsWith('» '))).toEqual(['» Second', '» Third']);
  });

  it('loses nothing said at /quit, and the talk is the same in the next session and in a second terminal', async () => {
    const terminal = world.terminal();
    await terminal.line(prompt);
    terminal.enter('First');
    (await world.model.next(isPrimary)).reply('One.');
    await terminal.line(/^│ One\.$/);
    terminal.enter('Second');
    await world.model.next(isPrimary);
    terminal.enter('Third');
    await terminal.line(/^ {2}waits, 1 before it: Third$/);
    terminal.enter('/quit');
    expect(await terminal.exited).toBe(0);
    await terminal.line(/^Said and not answered/);
    expect(terminal.lines.filter((line) => line.startsWith('  » '))).toEqual(['  » Second', '  » Third']);

    const next = world.terminal();
    await next.line(/^Said before and not answered yet: Second$/);
    const second = await world.model.next(isPrimary);
    expect(second.texts('user').slice(-2)).toEqual(['First', 'Second']);
    const other = world.terminal();
    await other.line(prompt);
    second.reply('Two.');
    (await world.model.next(isPrimary)).reply('Three.');
    await next.line(/^│ Three\.$/);
    await other.line(/^│ Three\.$/);
    other.enter('/talk 3');
    await other.until(() => {
      const shown = other.lines.join('\n');
      return /» First\n│ One\.\n» Second\n│ Two\.\n» Third\n│ Three\./.test(shown);
    }, 'the whole talk');
    expect(world.model.calls.filter(isPrimary)).toHaveLength(4);
  });

  it('is interrupted by Ctrl-C, and listens again', async () => {
    const terminal = world.terminal();
    await terminal.line(prompt);
    terminal.enter('Tell me a long story');
    const story = await world.model.next(isPrimary);
    story.say('Once upon a time\n');
    await terminal.line(/^│ Once upon a time$/);
    terminal.interrupt();
    expect(await story.closed).toBe(true);
    await terminal.line(/Interrupted/);
    terminal.enter('Shorter');
    (await world.model.next(isPrimary)).reply('The end.');
    await terminal.line(/^│ The end\.$/);
  });

  it('says why it cannot reach a model, and the prompt stays', async () => {
    const terminal = world.terminal();
    await terminal.line(prompt);
    world.model.answer((call) => call.fail(401, 'no such model'));
    terminal.enter('Hello');
    await terminal.line(/no such model/);
    await typedLine(terminal, '');
  });
});

describe('Ctrl-C', () => {
  it('does one thing a press: keeps the typed text in the history, then interrupts the answer, then warns, then leaves', async () => {
    const terminal = world.terminal();
    await terminal.line(prompt);
    terminal.enter('Tell me a long story');
    const story = await world.model.next(isPrimary);
    story.say('Once upon a time\n');
    await terminal.line(/^│ Once upon a time$/);
    terminal.type('half a thought');
    await typedLine(terminal, 'half a thought');
    terminal.interrupt();
    await terminal.line(/The text is in the history/);
    await typedLine(terminal, '');
    terminal.type(up);
    await typedLine(terminal, 'half a thought');
    terminal.interrupt();
    await typedLine(terminal, '');
    story.say('there was a crew\n');
    await terminal.line(/^│ there was a crew$/);
    terminal.interrupt();
    expect(await story.closed).toBe(true);
    await terminal.line(/Interrupted/);
    terminal.interrupt();
    await terminal.line(/Ctrl-C again leaves/);
    terminal.interrupt();
    expect(await terminal.exited).toBe(0);
  });

  it('leaves only when no command came in between', async () => {
    const terminal = world.terminal();
    await terminal.line(prompt);
    terminal.interrupt();
    await terminal.line(/Ctrl-C again leaves/);
    terminal.enter('/tasks');
    await terminal.line(/No unfinished tasks/);
    terminal.interrupt();
    await terminal.until(
      () => terminal.lines.filter((line) => /Ctrl-C again leaves/.test(line)).length === 2,
      'a second warning',
    );
    terminal.interrupt();
    expect(await terminal.exited).toBe(0);
  });
});

it('a closed terminal leaves in order, and the last node stops the server', async () => {
  const terminal = world.terminal();
  await terminal.line(/^cox>/);
  const record = join(world.state, 'nats', 'server.json');
  expect(existsSync(record)).toBe(true);
  terminal.hangUp();
  await terminal.exited;
  expect(existsSync(record)).toBe(false);
});

it('unfinished tasks are listed when a terminal leaves, and go on at the next start', async () => {
  const first = world.terminal();
  const { root } = await goalInFlight(first);
  // The model is called as soon as the dispatch is durable, which may be before this terminal shows it.
  await first.line(new RegExp(`${root}\\.1 `));
  first.type('\u0004');
  expect(await first.exited).toBe(0);
  const goodbye = first.lines.join('\n');
  expect(goodbye).toMatch(/Not done, and not lost:/);
  expect(goodbye).toContain(`${root}.1`);

  const second = world.terminal();
  await second.line(/Not done yet:/);
  await second.line(new RegExp(`${root}\\.0 is gathering “Find it out`));
  (await world.model.next(isWorking)).reply('found');
  (await world.model.next(isReducing)).reply('It is found.');
  await second.line(new RegExp(`✓ ${root}\\.0`));
});

describe('a session on a pipe', () => {
  it('answers a goal on stdout and ends with its input', async () => {
    const running = world.start([], { stdin: '/run Find it out\n' });
    (await world.model.next(isPlanning)).reply(planOf(['only']));
    (await world.model.next(isWorking)).reply('found');
    (await world.model.next(isReducing)).reply('It is found.');
    const { code, stdout } = await running.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^It is found\.$/m);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: no sequence of any kind
    expect(stdout).not.toMatch(/\u001b|cox>/);
  });

  it('answers each line before it reads the next', async () => {
    const running = world.start([], { stdin: 'one\ntwo\n' });
    (await world.model.next(isPrimary)).reply('uno');
    const second = await world.model.next(isPrimary);
    expect(second.texts('assistant').at(-1)).toBe('uno');
    second.reply('dos');
    const { code, stdout } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: '│ uno\n│ dos\n' });
  });

  it('ends when all that is left waits for the operator, and says what for', async () => {
    const running = world.start([], { stdin: '/dispatch files write it\n' });
    (await world.model.next(isWorking)).call('write_file', { path: 'a.txt', text: 'x' });
    const { code, stdout } = await running.ended;
    expect(code).toBe(0);
    const [, id] = /(\S+) waits for you: cox answer [a-z0-9]+\.0 q1 approve$/m.exec(stdout) ?? [];
    expect(id).toBeDefined();
    // The next session lists it first.
    const next = await world.start([], { stdin: '' }).ended;
    expect(next.stdout).toContain(`Not done yet:\n  ${id} waits for you: /answer ${id} q1 approve “write it”\n`);
  });

  it('takes an answer from its input, and the work goes on before the end', async () => {
    const running = world.start([], { stdin: null });
    running.process.stdin.write('/dispatch files write it\n');
    (await world.model.next(isWorking)).call('write_file', { path: 'a.txt', text: 'x' });
    const [, id] = await running.says('stdout', /([a-z0-9]+\.0) wants approval/);
    running.process.stdin.end(`@${id}? approve\n/nonsense\n`);
    (await world.model.next(isWorking)).reply('written');
    const { code, stdout } = await running.ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/answer applied/);
    expect(stdout).toMatch(/no command \/nonsense/);
    expect(stdout).toMatch(/^written$/m);
  });
});
