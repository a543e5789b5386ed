import { describe, expect, it, test } from 'vitest';
import type { Question } from '../../bus/messages.ts';
import { type ApprovalHelp, approvalWord, saidTo } from '../../cli/approval.ts';
import { proposalOf } from '../../cli/proposal.ts';
import { meaningOf } from '../../machines/answer.ts';

const approval = (tool: string, args?: unknown): Question => ({
  ...{ id: 'q1', kind: 'approval', text: 'May it?', choices: ['approve', 'deny'] },
  call: { tool, ...(args !== undefined && { args }) },
});
const help = (edited: string): ApprovalHelp => ({
  edit: async () => edited,
  allowAlways: async (tool) => `${tool} is in the roster`,
});

describe('the words of an approval', () => {
  it.each([
    ['edit', 'edit'],
    ['Goal', 'goal'],
    ['allow for this goal', 'goal'],
    ['yes, for this goal', 'goal'],
    ['always', 'always'],
    ['allow always here.', 'always'],
    ['yes, always', 'always'],
    ['approve', null],
    ['no, edit b.txt', null],
    ['edit the other file instead', null],
    ['not always', null],
    ['the goal is wrong', null],
  ])('%s', (text, word) => {
    expect(approvalWord(text)).toBe(word);
    // A task that gets such a word from another client leaves its question open.
    if (word !== null) expect(meaningOf({ kind: 'approval', choices: ['approve', 'deny'] }, text).kind).toBe('unclear');
  });

  it('are an answer like any other to a question of another kind', async () => {
    const asked: Question = { id: 'q1', kind: 'asked', text: 'What is this for?', choices: [] };
    expect(await saidTo('k3xq.1', asked, 'goal', help(''))).toEqual({
      to: 'k3xq.1',
      message: { type: 'answer', question: 'q1', text: 'goal' },
    });
  });

  it('allow the tool for the whole goal, and for always after the roster has it', async () => {
    const allow = { to: 'k3xq.0', message: { type: 'allow', tool: 'write_file' } };
    expect(await saidTo('k3xq.1-2', approval('write_file'), 'goal', help(''))).toEqual(allow);
    const always = await saidTo('k3xq.1-2', approval('write_file'), 'always', help(''));
    expect(always).toEqual({ ...allow, note: 'write_file is in the roster' });
    const refuses: ApprovalHelp = { ...help(''), allowAlways: () => Promise.reject(new Error('no roster')) };
    await expect(saidTo('k3xq.1', approval('write_file'), 'always', refuses)).rejects.toThrow('no roster');
  });

  it('send an approval with the arguments as edited', async () => {
    const said = await saidTo('k3xq.1', approval('write_file', { path: 'a.txt', text: 'x' }), 'edit', help('y'));
    expect(said.message).toEqual({ type: 'answer', question: 'q1', text: 'approve', args: { path: 'a.txt', text: 'y' } });
  });

  it('send nothing for a text that is unchanged, empty, too long to be there, or no arguments', async () => {
    const edit = (question: Question, edited: string) => saidTo('k3xq.1', question, 'edit', help(edited));
    const write = approval('write_file', { path: 'a.txt', text: 'x' });
    await expect(edit(write, 'x')).rejects.toThrow('Nothing was changed');
    await expect(edit(write, ' \n')).rejects.toThrow('empty');
    await expect(edit(approval('write_file'), 'y')).rejects.toThrow('too long');
    await expect(edit(approval('remember', { key: 'a' }), '[1]')).rejects.toThrow('not a JSON object');
  });
});

test.each([
  ['write_file', { path: 'src/a.py', text: 'T' }, 'T', '.py', { path: 'src/a.py', text: 'E' }],
  ['write_file', { path: 'a.$(id)', text: 'T' }, 'T', '.txt', { path: 'a.$(id)', text: 'E' }],
  ['edit_file', { path: 'a', old: 'O', new: 'T', all: true }, 'T', '.txt', { path: 'a', old: 'O', new: 'E', all: true }],
  ['apply_patch', { patch: 'T' }, 'T', '.patch', { patch: 'E' }],
])('%s is edited as the text that it would write', (tool, args, text, suffix, edited) => {
  const proposal = proposalOf(approval(tool, args));
  expect({ text: proposal.text, suffix: proposal.suffix }).toEqual({ text, suffix });
  expect(proposal.with('E')).toEqual(edited);
});

test('any other call is edited as JSON', () => {
  const proposal = proposalOf(approval('remember', { key: 'a', value: 1 }));
  expect(proposal).toMatchObject({ text: '{\n  "key": "a",\n  "value": 1\n}\n', suffix: '.json' });
  expect(proposal.with('{ "key": "b" }')).toEqual({ key: 'b' });
});
