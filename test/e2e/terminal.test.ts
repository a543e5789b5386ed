/** The prompt as a terminal: pastes, several lines, job control, sizes. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Terminal } from './support/terminal.ts';
import { isPlanning, isPrimary, isWorking, planOf, World } from './support/world.ts';

let world: World;
beforeEach(async ({ onTestFailed }) => {
  const made = await World.make();
  world = made;
  onTestFailed(() => console.error(made.story()));
});
afterEach(() => world.stop());

const prompt = /^cox>/;
const up = '\u001b[A';
const left = '\u001b[D';
const pasteBegin = '\u001b[200~';
const pasteEnd = '\u001b[201~';

const typedLine = (terminal: Terminal, text: string) =>
  terminal.until(() => terminal.cursor.line === `cox> ${text}`.trimEnd(), `the typed line "${text}"`);

async function open(options: Parameters<World['terminal']>[1] = {}): Promise<Terminal> {
  const terminal = world.terminal([], options);
  await terminal.line(prompt);
  return terminal;
}

/** Answers the next utterance, and returns what the primary was told. */
async function told(answer = 'fine'): Promise<string> {
  const call = await world.model.next(isPrimary);
  call.reply(answer);
  return call.texts('user').at(-1)!;
}

/** A goal with one sub-task whose model call is in flight. */
async function goalInFlight(terminal: Terminal): Promise<string> {
  terminal.enter('/run Find it out');
  (await world.model.next(isPlanning)).reply(planOf(['only']));
  await world.model.next(isWorking);
  const line = await terminal.line(/^→ .*Find it out/);
  return /→ ([a-z0-9]+)\.0/.exec(line)![1]!;
}

/** Makes an event that is printed above the prompt; its rows may be broken anywhere. */
async function printedEvent(terminal: Terminal, root: string, step: number): Promise<void> {
  await world.cox(['steer', `${root}.1`, 'x', '--expect-step', String(step)]);
  await terminal.until(() => terminal.lines.join('').replaceAll(' ', '').includes(`notatstep${step}`), `a receipt about ${step}`);
}

describe('a paste', () => {
  it('is one message with its line breaks and indentation, sent on Enter', async () => {
    const terminal = await open();
    terminal.type(`${pasteBegin}fix this:\r    @someone hi\r/quit\r${pasteEnd}`);
    await terminal.line(/\/quit$/);
    terminal.type('\r');
    expect(await told()).toContain('fix this:\n    @someone hi\n/quit');
    await terminal.line(/^│ fine$/);
    await typedLine(terminal, '');
  });

  it('of many lines is folded to its size, and the history has the whole', async () => {
    const terminal = await open();
    const log = Array.from({ length: 50 }, (_, i) => `  line ${i}`).join('\r');
    terminal.type(`look: ${pasteBegin}${log}${pasteEnd}`);
    await typedLine(terminal, 'look: [50 lines, 489 characters]');
    terminal.type('\r');
    expect(await told()).toContain(`look: ${log.replaceAll('\r', '\n')}`);
    await terminal.line(/^│ fine$/);
    terminal.enter('/quit');
    await terminal.exited;
    const next = await open();
    next.type(`${up}${up}`);
    await typedLine(next, '[50 lines, 495 characters]');
    next.type('\r');
    expect(await told()).toContain(`look: ${log.replaceAll('\r', '\n')}`);
  });

  it('of a terminal that does not mark it is typed lines, and what follows /quit does not reach the shell', async () => {
    const shell = world.shell();
    shell.enter('$COX_COMMAND');
    await shell.line(prompt);
    shell.type('/help\r/quit\rtouch pwned\rtouch pwned\r');
    await shell.until(() => shell.cursor.line === '$', 'the shell');
    shell.enter('echo re""ady');
    await shell.line(/^ready$/);
    expect(existsSync(join(world.workspace, 'pwned'))).toBe(false);
    shell.enter('exit');
    await shell.exited;
  });

  it('that begins like a command is a message', async () => {
    const terminal = await open();
    terminal.type(`${pasteBegin}/quit\rrm -r${pasteEnd}`);
    await terminal.line(/rm -r$/);
    terminal.type('\r');
    expect(await told()).toContain('/quit\nrm -r');
  });

  it('never reaches the shell when its rest comes after the prompt was left', async () => {
    const shell = world.shell();
    shell.enter('$COX_COMMAND');
    await shell.line(prompt);
    shell.type(`/quit\r${pasteBegin}touch pwned\r`);
    await shell.line(/^cox> \/quit$/);
    shell.type(`touch pwned\r${pasteEnd}`);
    await shell.until(() => shell.cursor.line === '$', 'the shell');
    shell.enter('echo re""ady');
    await shell.line(/^ready$/);
    expect(existsSync(join(world.workspace, 'pwned'))).toBe(false);
    shell.enter('exit');
    await shell.exited;
  });
});

describe('several lines', () => {
  it('are typed with Alt-Enter, Ctrl-J or a backslash before Enter', async () => {
    const terminal = await open();
    terminal.type('one');
    terminal.type('\u001b\r');
    terminal.type('two');
    await terminal.line(/^ +\| two$/);
    terminal.type('\n');
    terminal.type('three\\');
    await terminal.line(/three\\$/);
    terminal.type('\r');
    terminal.type('four');
    await terminal.line(/^ +\| four$/);
    terminal.type('\r');
    expect(await told()).toContain('one\ntwo\nthree\nfour');
  });

  it('go on within three quotes', async () => {
    const terminal = await open();
    terminal.enter('"""/tasks');
    await terminal.until(() => /^ +\|$/.test(terminal.cursor.line), 'a further line');
    terminal.enter('is what?"""');
    expect(await told()).toContain('/tasks\nis what?');
  });
});

it('Ctrl-R finds an earlier line by any part of it', async () => {
  const terminal = await open();
  terminal.enter('/tasks all');
  await terminal.line(/No tasks/);
  terminal.enter('/menu');
  await terminal.line(/main/);
  terminal.type('\u0012');
  await terminal.until(() => terminal.cursor.line.startsWith('(search)'), 'the search');
  terminal.type('ks');
  await terminal.until(() => terminal.cursor.line === '(search) ks: /tasks all', 'the found line');
  terminal.type(left);
  await typedLine(terminal, '/tasks all');
});

describe('job control', () => {
  it('the prompt lives at once after Ctrl-Z and fg, with what was typed', async () => {
    const shell = world.shell();
    shell.enter('$COX_COMMAND');
    await shell.line(prompt);
    shell.type('half');
    await typedLine(shell, 'half');
    shell.type('\u001a');
    await shell.line(/Stopped/);
    shell.enter('fg');
    await typedLine(shell, 'half');
    shell.type(' and half');
    await typedLine(shell, 'half and half');
    shell.type('\u0015/quit\r');
    await shell.until(() => shell.cursor.line === '$', 'the shell');
    shell.enter('exit');
    await shell.exited;
  });
});

describe('the size', () => {
  it('may change while events come: no line is lost or doubled', async () => {
    const terminal = await open({ columns: 100 });
    const root = await goalInFlight(terminal);
    const typed = 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen';
    terminal.type(typed);
    await typedLine(terminal, typed);
    const steps = [40, 100, 50, 20, 100].map((columns, i) => ({ columns, step: 90 + i }));
    for (const { columns, step } of steps) {
      terminal.resize(columns);
      await printedEvent(terminal, root, step);
    }
    terminal.resize(200);
    const drawn = () => terminal.lines.filter((line) => line.includes('one two three'));
    await terminal.until(() => terminal.cursor.line === `cox> ${typed}`, 'the whole line');
    expect(drawn()).toHaveLength(1);
    expect(terminal.lines.filter((line) => line.startsWith('→'))).toHaveLength(1);
    expect(terminal.lines.filter((line) => line.startsWith('cox> /run'))).toHaveLength(1);
    expect(terminal.lines.filter((line) => /steer returned/.test(line))).toHaveLength(steps.length);
  });

  it('is counted in letters as a person sees them', async () => {
    const terminal = await open({ columns: 20 });
    terminal.type('日本語👩‍👩‍👧⚠️ab');
    await terminal.until(() => terminal.cursor.line === 'cox> 日本語👩‍👩‍👧⚠️ab', 'the letters');
    expect(terminal.cursor.column).toBe(5 + 6 + 2 + 2 + 2);
    terminal.type(`${left}${left}\u007f\u007f`);
    await terminal.until(() => terminal.cursor.line === 'cox> 日本語ab', 'two letters less');
  });
});

it('a terminal without control codes gets none', async () => {
  const terminal = await open({ term: 'dumb' });
  terminal.enter('/menu');
  await terminal.line(/main/);
  await terminal.until(() => terminal.cursor.line === 'cox>', 'the prompt again');
  terminal.enter('Hello');
  await told('Good morning');
  await terminal.line(/Good morning/);
  terminal.interrupt();
  await terminal.line(/Ctrl-C again leaves/);
  expect(terminal.raw).not.toContain('\u001b');
  terminal.enter('/quit');
  expect(await terminal.exited).toBe(0);
});

describe('the programs of the operator', () => {
  it('Ctrl-X Ctrl-E opens the half-typed text in $EDITOR, and Enter sends what comes back', async () => {
    const terminal = await open({ env: { EDITOR: 'printf "  and more\\n" >>', VISUAL: '' } });
    terminal.type('half a thought');
    await typedLine(terminal, 'half a thought');
    terminal.type('\u0018\u0005');
    await terminal.line(/^ +\| {3}and more$/);
    terminal.type('\r');
    expect(await told()).toContain('half a thought\n  and more');
  });

  it('/edit goes on with the text that Ctrl-C has set aside, and says when there is no such editor', async () => {
    const terminal = await open({ env: { EDITOR: 'sed -i s/thought/plan/', VISUAL: '' } });
    terminal.type('half a thought');
    await typedLine(terminal, 'half a thought');
    terminal.interrupt();
    await typedLine(terminal, '');
    terminal.enter('/edit');
    await typedLine(terminal, 'half a plan');
    terminal.type('\u0015');
    await typedLine(terminal, '');
    const other = await open({ env: { EDITOR: 'no-such-editor', VISUAL: '' } });
    other.enter('/edit');
    await other.line(/The editor no-such-editor cannot be started/);
    await typedLine(other, '');
  });

  it('/result shows in $PAGER what is longer than the screen, and events wait until it ends', async () => {
    const terminal = await open({
      rows: 12,
      env: { PAGER: 'sed -n "s/line 25/paged 25/p"; echo end of pager; read x < /dev/tty' },
    });
    terminal.enter('/dispatch reasoning a list');
    (await world.model.next(isWorking)).reply(Array.from({ length: 30 }, (_, i) => `line ${i}`).join('\n'));
    await terminal.line(/^line 29$/);
    terminal.enter('/result');
    await terminal.line(/^end of pager$/);
    expect(terminal.lines).toContain('paged 25');
    await world.cox(['dispatch', 'reasoning', 'another']);
    (await world.model.next(isWorking)).reply('found another');
    terminal.enter('');
    await terminal.line(/found another/);
    await typedLine(terminal, '');
  });
});

it('@ completes a file, and its content goes along with the message', async () => {
  writeFileSync(join(world.workspace, 'notes.txt'), 'buy milk\n');
  const terminal = await open();
  terminal.type('sum up @no\t');
  await typedLine(terminal, 'sum up @notes.txt');
  terminal.type('\r');
  await terminal.line(/attached notes\.txt \(9 bytes\)/);
  expect(await told()).toContain('<<<<< notes.txt\nbuy milk\n>>>>> end of notes.txt');
});

it('a line above the prompt counts what is under way, until nothing is, and not where it is off', async () => {
  const terminal = await open();
  const other = await open({ env: { COX_STATUS_LINE: 'off' } });
  terminal.enter('/dispatch files write it');
  const call = await world.model.next(isWorking);
  await terminal.line(/^1 running/);
  call.call('write_file', { path: 'a.txt', text: 'x' });
  await terminal.line(/^0 running · 1 waits for you · 15 tokens$/);
  await terminal.line(/wants approval/);
  terminal.enter('/cancel .0');
  await terminal.until(() => !terminal.lines.some((line) => /\d running/.test(line)), 'no status line');
  await other.line(/wants approval/);
  expect(other.raw).not.toMatch(/\d running/);
});

it('a Ctrl-C at any moment of the start counts', async () => {
  const terminal = world.terminal();
  const record = join(world.state, 'nats', 'server.json');
  while (!existsSync(record)) await new Promise(setImmediate);
  terminal.interrupt();
  const seen = terminal.line(/Ctrl-C again leaves/).then(
    () => 'warned',
    () => 'ended',
  );
  // On a busy machine the prompt may be there first.
  expect([130, 'warned']).toContain(await Promise.race([seen, terminal.exited]));
});
