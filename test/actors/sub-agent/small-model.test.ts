/** What code decides for a small embedded model that must write a file; the model itself is asked in goal.inference.test.ts. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { closing, contentDue, contentMessages, offered, readsDue, writingOf } from '../../../actors/sub-agent/small-model.ts';
import { shippedTools } from '../../../actors/tools/shipped-tools.ts';
import type { Tool } from '../../../actors/tools/tool.ts';
import { Reader } from '../../../actors/tools/vision/reader.ts';
import { visionTools } from '../../../actors/tools/vision/vision-tools.ts';
import type { Message } from '../../../machines/conversation.ts';

const instruction = 'Read notes.txt and write a list into list.md';
const task = (file: string) => ({ instruction, context: [], produces: [{ file }] });
const opening: Message = { role: 'user', text: instruction };
const made = (tool: string, args: object, text: string): Message[] => {
  const id = `${tool}-${JSON.stringify(args)}`;
  return [
    { role: 'assistant', text: '', calls: [{ id, tool, args, effects: 'none' }] },
    { role: 'tool', call: id, text },
  ];
};
const readNotes = made('read_file', { path: 'notes.txt' }, 'milk\nrain\n');
const heard = (messages: readonly Message[], wanted: string | null = null) => ({ instruction, messages, wanted });
const steered: Message = { role: 'user', text: 'put it into other.md' };
const told: Message = { role: 'user', text: 'You are not done: the file list.md is not there.' };
const names = (tools: readonly { readonly name: string }[]) => tools.map(({ name }) => name);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cox-test-'));
  await writeFile(join(folder, 'notes.txt'), 'milk\nrain\n');
});
afterEach(() => rm(folder, { recursive: true }));

test('the files that the task names and that are there are read first, and only then', async () => {
  const due = async (messages: readonly Message[], file = 'list.md') =>
    (await readsDue(task(file), heard(messages), shippedTools, folder)).map(({ tool, args }) => [tool, args]);
  expect(await due([opening])).toEqual([['read_file', { path: 'notes.txt' }]]);
  await writeFile(join(folder, 'list.md'), 'old');
  expect(await due([opening])).toEqual([
    ['read_file', { path: 'notes.txt' }],
    ['read_file', { path: 'list.md' }],
  ]);
  expect(await due([opening, steered])).toEqual([]);
  expect(await due([opening, ...readNotes])).toEqual([]);
  const summarized = { ...task('list.md'), context: [{ title: 'notes.txt', text: 'milk' }] };
  expect(await readsDue(summarized, heard([opening]), shippedTools, folder)).toMatchObject([{ args: { path: 'list.md' } }]);
  expect(await readsDue({ instruction, context: [] }, heard([opening]), shippedTools, folder)).toHaveLength(2);
  expect(await readsDue({ instruction, context: [] }, heard([opening]), [], folder)).toEqual([]);
});

test('pictures and documents that the task or a result names are looked at first, by a kind that can', async () => {
  for (const name of ['shot.PNG', 'bill.pdf']) await writeFile(join(folder, name), 'x');
  const wanted = 'Compare shot.PNG, bill.pdf and notes.txt.';
  const spec = { instruction: wanted, context: [{ title: 'page', text: 'The screenshot is k3xq.4/s2-0/made-0.' }] };
  const reader = new Reader({ folders: { cache: folder }, log: pino({ level: 'silent' }), onProgress: () => {}, env: {} });
  const due = async (tools: readonly Tool[]) =>
    (await readsDue(spec, { instruction: wanted, messages: [{ role: 'user', text: wanted }], wanted: null }, tools, folder)).map(
      ({ tool, args }) => [tool, ...Object.values(args as object)],
    );
  expect(await due(visionTools(reader))).toEqual([
    ['look_at', 'shot.PNG', wanted],
    ['read_document', 'bill.pdf'],
    ['look_at', 'k3xq.4/s2-0/made-0', wanted],
  ]);
  expect(await due(shippedTools)).toEqual([['read_file', 'notes.txt']]);
});

test('a small model for which code has looked at the pictures answers, unless the operator has said something', () => {
  const reader = new Reader({ folders: { cache: folder }, log: pino({ level: 'silent' }), onProgress: () => {}, env: {} });
  const offer = (messages: readonly Message[]) =>
    offered({ instruction, context: [] }, heard([opening, ...messages]), visionTools(reader)).toolChoice;
  const looked = made('look_at', { picture: 'shot.png' }, 'Its text was read by OCR: …');
  expect(offer(looked)).toBe('none');
  expect(offer([])).toBeUndefined();
  expect(offer([...looked, steered])).toBeUndefined();
  expect(offer(made('list_files', {}, 'shot.png'))).toBeUndefined();
});

test('the content of a new file is asked for as plain text, once, and not after words of the operator', () => {
  const due = (messages: readonly Message[], file = 'list.md') => contentDue(task(file), heard(messages), shippedTools);
  expect(due([opening, ...readNotes])).toBe('list.md');
  expect(due([opening, ...readNotes, told])).toBe('list.md');
  expect(due([opening])).toBeNull();
  expect(due([opening, ...readNotes, steered])).toBeNull();
  expect(due([opening, ...readNotes], 'notes.txt')).toBeNull();
  expect(due([opening, ...readNotes, ...made('write_file', { path: 'list.md', text: 'x' }, 'wrote')])).toBeNull();
  const redirected = { ...heard([opening, ...readNotes]), instruction: 'something else' };
  expect(contentDue(task('list.md'), redirected, shippedTools)).toBeNull();
});

test('the request for the content has what was read, then the task, and no tools', () => {
  const given = { prompt: 'You are kind.', notes: '' };
  const content = (most: number) =>
    contentMessages(task('list.md'), heard([opening, ...readNotes]), 'list.md', { ...given, maxChars: most });
  const { messages, cut } = content(1_000);
  expect(cut).toEqual([]);
  expect(content(5).cut).toEqual(['notes.txt']);
  expect(messages.map(({ role }) => role)).toEqual(['system', 'user', 'user']);
  expect(messages[1]?.text).toBe('## notes.txt\nmilk\nrain\n');
  expect(messages[2]?.text).toMatch(/^Read notes\.txt[\s\S]*the content of list\.md and nothing else/);
});

test('a reply becomes the file, without a fence around the whole of it', () => {
  const written = (reply: string) => (writingOf('list.md', reply).args as { text: string }).text;
  expect(writingOf('list.md', '- milk')).toMatchObject({ tool: 'write_file', args: { path: 'list.md', text: '- milk\n' } });
  expect(written('```markdown\n- milk\n```\n')).toBe('- milk\n');
  expect(written('one:\n```\na\n```\ntwo:\n```\nb\n```')).toContain('```\na\n```');
  expect(written('```\na\n```\nand\n```\nb\n```')).toContain('and');
});

test('code says that a file is written only where it is there as the model gave it', async () => {
  const wrote = made('write_file', { path: 'list.md', text: '- milk\n' }, 'wrote 7 characters');
  const close = (messages: readonly Message[]) => closing(task('list.md'), heard(messages), folder);
  expect(await close([opening, ...readNotes, ...wrote])).toBeNull();
  await writeFile(join(folder, 'list.md'), '- rain\n');
  expect(await close([opening, ...readNotes, ...wrote])).toBeNull();
  await writeFile(join(folder, 'list.md'), '- milk\n');
  expect(await close([opening, ...readNotes, ...wrote])).toBe('list.md is written:\n\n- milk');
  expect(await close([opening, ...readNotes, ...wrote, steered])).toBeNull();
});

test('a file that is changed is left to the tools that write, for no other file', () => {
  const read = made('read_file', { path: 'notes.txt' }, 'milk');
  const { tools, toolChoice } = offered(task('notes.txt'), heard([opening, ...read]), shippedTools);
  expect(names(tools)).toEqual(['write_file', 'edit_file', 'ask_operator']);
  expect(toolChoice).toBe('required');
  expect(tools[0]?.parameters).toMatchObject({ properties: { path: { enum: ['notes.txt'] } } });
});

test('with nothing to read, the model may look for it, and may not end without having written', () => {
  const { tools, toolChoice } = offered(task('list.md'), heard([opening]), shippedTools);
  expect(names(tools)).toEqual(['list_files', 'read_file', 'search_files', 'write_file', 'read_artifact', 'ask_operator']);
  expect(toolChoice).toBe('required');
});

test('after a call that writes the model may answer, and told that it is not done, it is held to that call', () => {
  const wrote = [opening, ...made('write_file', { path: 'list.md', text: 'x' }, 'no space left')];
  const choice = (messages: readonly Message[]) =>
    offered(task('list.md'), heard(messages, 'write_file'), shippedTools).toolChoice;
  expect(choice(wrote)).toBeUndefined();
  expect(choice([...wrote, { role: 'assistant', text: 'Done.' }, told])).toEqual({ mode: 'required', only: ['write_file'] });
  const again = made('write_file', { path: 'list.md', text: 'y' }, 'wrote');
  expect(choice([...wrote, { role: 'assistant', text: 'Done.' }, told, ...again])).toBeUndefined();
});

test('a sub-task that is only to read gets no tool that writes, until the operator says something', () => {
  const reading = { instruction, context: [], produces: [] };
  expect(names(offered(reading, heard([opening]), shippedTools).tools)).not.toContain('write_file');
  expect(names(offered(reading, heard([opening, steered]), shippedTools).tools)).toContain('write_file');
  expect(names(offered({ instruction, context: [] }, heard([opening]), shippedTools).tools)).toContain('write_file');
});

test('after a bare no code ends the task, so that the operator is not asked for the same again; words go to the model', async () => {
  const denied = (words: string) => made('write_file', { path: 'list.md', text: 'x' }, `not run, the operator says: ${words}`);
  const close = (words: string, ...more: Message[]) =>
    closing(task('list.md'), heard([opening, ...readNotes, ...denied(words), ...more]), folder);
  expect(await close('no')).toMatch(/denied.*not written: list\.md/);
  expect(await close('deny', { role: 'assistant', text: 'x' }, told)).toMatch(/denied/);
  expect(await close('no, only what we need')).toBeNull();
  const free = offered(task('list.md'), heard([opening, ...readNotes, ...denied('no, into b.md')]), shippedTools);
  expect(free.toolChoice).toBeUndefined();
  expect(names(free.tools)).toContain('read_file');
});
