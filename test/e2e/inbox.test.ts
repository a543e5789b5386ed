import { execFileSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Receipt } from '../../bus/messages.ts';
import { isPlanning, isReducing, isWorking, planOf, type Running, World } from './support/world.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** One crew for all tests; each test ends its own tasks. */
let world: World;
let node: Running;
beforeAll(async () => {
  world = await World.make();
  node = world.start(['up', '--json'], { stdin: null });
  await node.says('stdout', /"node"/);
});
afterAll(() => world.stop());

interface Item {
  number: number;
  id: string;
  goal: string;
  key: string | null;
  blocked: number;
  askedAt: string;
  question: { id: string; kind: string };
}
interface Delivered {
  id: string;
  fate: string;
  receipts: Receipt[];
}
const inbox = async (): Promise<Item[]> => (await world.json<{ questions: Item[] }>(['inbox'])).value.questions;

/** Dispatches a task that at once wants approval to write `path`. Resolves with its id when it waits. */
async function writer(path: string): Promise<string> {
  return asker(`write ${path}`, 'write_file', { path, text: `text of ${path}` });
}
async function asker(instruction: string, tool: string, args: object): Promise<string> {
  const { value } = await world.json<{ id: string }>(['dispatch', 'files', instruction]);
  const call = await callAbout(instruction);
  const watch = await watching(value.id);
  call.call(tool, args);
  await watch.says('stdout', /"question":\{/);
  watch.process.kill('SIGTERM');
  return value.id;
}
/** A watch of a tree that has begun: it misses no later event. */
async function watching(id: string): Promise<Running> {
  const watch = world.start(['watch', id, '--json'], { stdin: null });
  await watch.says('stdout', /"kind":"status"/);
  return watch;
}
const callAbout = (text: string) => world.model.next((call) => isWorking(call) && call.texts('user').join('\n').includes(text));
/** Lets the model end each of these tasks, and waits for their results. */
async function ended(...instructions: readonly string[]): Promise<void> {
  for (const instruction of instructions) (await callAbout(instruction)).reply(`${instruction}: done`);
}
const cancelled = (...ids: readonly string[]) => Promise.all(ids.map((id) => world.cox(['cancel', id])));

describe('the inbox', () => {
  it('is empty where nothing is asked', async () => {
    expect((await world.cox(['inbox'])).stdout).toBe('No open questions.\n');
  });

  it('lists the questions of all goals, oldest first, with what waits for them, and takes an answer by number', async () => {
    const { value } = await world.json<{ id: string }>(['dispatch', 'supervisor', 'The book']);
    const plan = [
      { key: 'draft', type: 'files', instruction: 'Write the draft', needs: [], after: [] },
      { key: 'proof', type: 'reasoning', instruction: 'Proofread', needs: [], after: ['draft'] },
      { key: 'print', type: 'reasoning', instruction: 'Print', needs: [], after: ['proof'] },
    ];
    const planning = await world.model.next(isPlanning);
    const watch = await watching(value.id);
    planning.reply(JSON.stringify({ tasks: plan, final: 'Join' }));
    (await callAbout('Write the draft')).call('write_file', { path: 'draft.txt', text: 'x' });
    await watch.says('stdout', /"kind":"approval"/);
    watch.process.kill('SIGTERM');
    const second = await asker('colour of the cover', 'ask_operator', { question: 'Which colour?' });

    const list = await inbox();
    expect(list).toMatchObject([
      { number: 1, goal: value.id, key: 'draft', blocked: 2, question: { kind: 'approval' } },
      { number: 2, id: second, goal: second, key: null, blocked: 0, question: { kind: 'asked' } },
    ]);
    expect(list[0]!.askedAt <= list[1]!.askedAt).toBe(true);
    const { stdout } = await world.cox(['inbox']);
    expect(stdout).toMatch(/1 {2}\S+ draft wants approval: .*draft\.txt/);
    expect(stdout).toMatch(/\d+ s ago · its goal \S+ waits “The book”, and 2 sub-tasks behind it/);
    expect(stdout).toMatch(/2 {2}\S+ asks: Which colour\?/);

    expect(await world.json<Delivered>(['answer', '2', 'a dark', 'blue'])).toMatchObject({ code: 0, value: { id: second } });
    const next = await callAbout('colour of the cover');
    expect(next.texts('tool').join()).toContain('a dark blue');
    next.reply('blue');
    const approved = await world.cox(['answer', '1', 'yes,', 'please']);
    expect(approved).toMatchObject({ code: 0, stdout: expect.stringMatching(/answer applied at step 1: allowed/) });
    await cancelled(value.id);
  });

  it('keeps the numbers of the list that this shell has seen, whatever comes and goes meanwhile', async () => {
    const [a, b] = [await writer('a.txt'), await writer('b.txt')];
    expect((await inbox()).map(({ id }) => id)).toEqual([a, b]);
    // Answered from elsewhere: a list that is made now would call b number 1.
    await world.cox(['answer', a, 'q1', 'no']);
    await ended('write a.txt');
    const c = await writer('c.txt');
    const stale = await world.json<{ error: { code: string; message: string } }>(['answer', '1', 'approve']);
    expect(stale).toMatchObject({ code: 4, value: { error: { code: 'stale-number', message: expect.stringContaining(a) } } });
    expect(await world.json(['answer', '3', 'approve'])).toMatchObject({ code: 2, value: { error: { code: 'usage' } } });
    const answered = await world.json<Delivered>(['answer', '2', 'deny']);
    expect(answered.value).toMatchObject({ id: b, receipts: [expect.anything(), { reason: 'denied' }] });
    expect((await inbox()).map(({ id, number }) => [number, id])).toEqual([[1, c]]);
    await cancelled(b, c);
  });

  it('refuses a number in a shell that has seen no list', async () => {
    const id = await writer('d.txt');
    await rm(`${world.state}/inbox`, { recursive: true });
    // A list that another shell has seen does not count here.
    const seen = execFileSync('sh', ['-c', '"$0" "$1" inbox; true', process.execPath, main], {
      env: world.env,
      encoding: 'utf8',
    });
    expect(seen).toContain(id);
    const { code, value } = await world.json<{ error: { message: string; hint: string } }>(['answer', '1', 'approve']);
    expect({ code, hint: value.error.hint }).toEqual({ code: 2, hint: expect.stringContaining('cox inbox') });
    await cancelled(id);
  });

  it('with `all --yes` answers only what this shell has seen, and only questions that have the words as a choice', async () => {
    const [a, b] = [await writer('e.txt'), await writer('f.txt')];
    const question = await asker('a name for it', 'ask_operator', { question: 'Which name?' });
    await inbox();
    const late = await writer('g.txt');
    expect(await world.json(['answer', 'all', 'approve'])).toMatchObject({ code: 2 });
    const { code, stdout, stderr } = await world.cox(['answer', 'all', 'approve', '--yes', '--json']);
    const { answered, left } = JSON.parse(stdout) as { answered: Delivered[]; left: { id: string }[] };
    expect(code).toBe(0);
    expect(answered.map(({ id, receipts }) => [id, receipts.at(-1)?.reason])).toEqual([
      [a, 'allowed'],
      [b, 'allowed'],
    ]);
    expect(left.map(({ id }) => id)).toEqual([question]);
    expect(stderr).toMatch(/1 asked since then, and left open/);
    expect((await inbox()).map(({ id }) => id)).toEqual([question, late]);
    await cancelled(a, b, question, late);
  });

  it('on a terminal shows all and asks before it answers', async () => {
    const [a, b] = [await writer('h.txt'), await writer('i.txt')];
    const no = world.terminal(['answer', 'all', 'approve']);
    await no.line(/2 {2}.*i\.txt/);
    await no.line(/Answer these 2 with “approve”\?/);
    no.enter('');
    expect(await no.exited).toBe(0);
    expect(no.lines).toContain('Nothing was answered.');
    expect(await inbox()).toHaveLength(2);
    const yes = world.terminal(['answer', 'all', 'approve']);
    await yes.line(/Answer these 2/);
    yes.enter('y');
    expect(await yes.exited).toBe(0);
    expect(yes.lines.filter((line) => /answer applied at step 1: allowed/.test(line))).toHaveLength(2);
    expect(await inbox()).toEqual([]);
    await cancelled(a, b);
  });

  it('at the prompt answers by the numbers that were shown there, and all of them after a yes', async () => {
    const [a, b, c] = [await writer('j.txt'), await writer('k.txt'), await writer('l.txt')];
    const terminal = world.terminal();
    await terminal.line(/^cox>/);
    terminal.enter('/answer 1 approve');
    await terminal.line(/no list has been shown/);
    terminal.enter('/inbox');
    await terminal.line(/^3 {2}.*l\.txt/);
    await world.cox(['answer', a, 'q1', 'no']);
    await terminal.line(new RegExp(`${a} answer applied at step 1: denied`));
    terminal.enter('/answer 1 approve');
    await terminal.line(new RegExp(`1 was question q1 of ${a}, which is not open any more`));
    terminal.enter('@3? no, not that one');
    await terminal.line(new RegExp(`${c} answer applied at step 1: denied`));
    terminal.enter('/answer all approve');
    await terminal.line(/Answer this one with “approve”\? Type yes or no/);
    terminal.enter('no');
    await terminal.line(/Nothing was answered/);
    expect((await inbox()).map(({ id }) => id)).toEqual([b]);
    terminal.enter('/answer all approve');
    await terminal.until(() => terminal.lines.filter((line) => /Type yes or no/.test(line)).length === 2, 'the second question');
    terminal.enter('yes');
    await terminal.line(new RegExp(`${b} answer applied at step 1: allowed`));
    terminal.enter('/quit');
    await terminal.exited;
    await cancelled(a, b, c);
  });
});

describe('a question of a sub-task', () => {
  it('is found at any depth', async () => {
    const { value } = await world.json<{ id: string }>(['dispatch', 'supervisor', 'The whole']);
    const planning = (text: string) => world.model.next((call) => isPlanning(call) && call.texts('user').join().includes(text));
    const whole = await planning('The whole');
    const watch = await watching(value.id);
    whole.reply(planOf(['part'], 'supervisor'));
    (await planning('Do part')).reply(planOf(['leaf'], 'files'));
    (await callAbout('Do leaf')).call('write_file', { path: 'leaf.txt', text: 'x' });
    await watch.says('stdout', /"kind":"approval"/);
    watch.process.kill('SIGTERM');
    expect(await inbox()).toMatchObject([{ id: value.id.replace('.0', '.1-1'), goal: value.id, key: 'leaf' }]);
    await cancelled(value.id);
    expect(world.model.calls.some(isReducing)).toBe(false);
  });
});
