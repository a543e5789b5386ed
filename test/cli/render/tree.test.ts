import { describe, expect, it } from 'vitest';
import type { TreeNode } from '../../../bus/messages.ts';
import { paintFor, plain } from '../../../cli/render/paint.ts';
import { treeLines } from '../../../cli/render/tree.ts';

const node = (id: string | null, parent: string | null, more: Partial<TreeNode> = {}): TreeNode => ({
  id,
  parent,
  key: null,
  type: 'files',
  instruction: 'Read it',
  backend: 'local',
  state: 'thinking',
  outcome: null,
  steps: 0,
  usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 },
  question: null,
  ...more,
});

describe('a tree', () => {
  it('shows each task below its parent, in the order of their numbers, planned ones last', () => {
    const nodes = [
      node('k3xq.0', null, { type: 'supervisor', state: 'gathering', backend: null }),
      node(null, 'k3xq.0', { key: 'final', backend: null, state: 'idle' }),
      node('k3xq.10', 'k3xq.0', { key: 'README.md' }),
      node('k3xq.2', 'k3xq.0', {
        outcome: 'completed',
        state: 'done',
        steps: 2,
        usage: { inputTokens: 1200, outputTokens: 300, costUsd: 0.0042 },
      }),
      node('k3xq.2-1', 'k3xq.2', { steps: 1 }),
    ];
    expect(treeLines(nodes, plain, 100)).toEqual([
      'k3xq.0 · supervisor · gathering “Read it”',
      '├─ k3xq.2 · files · completed · on local · 2 steps · 1.5k tokens, $0.0042 “Read it”',
      '│  └─ k3xq.2-1 · files · thinking · on local · 1 step “Read it”',
      '├─ k3xq.10 README.md · files · thinking · on local “Read it”',
      '└─ final · files · planned “Read it”',
    ]);
  });

  it('says that the answer of a task is incomplete, and why', () => {
    const done = node('k3xq.2', 'k3xq.0', { outcome: 'completed', state: 'done', incomplete: 'length' });
    expect(treeLines([done], plain, 100)).toEqual(['k3xq.2 · files · completed · incomplete (length) · on local “Read it”']);
  });

  it('shows a subtree without its parent', () => {
    expect(treeLines([node('k3xq.2', 'k3xq.0'), node('k3xq.2-1', 'k3xq.2')], plain, 80)).toEqual([
      'k3xq.2 · files · thinking · on local “Read it”',
      '└─ k3xq.2-1 · files · thinking · on local “Read it”',
    ]);
  });

  it('leaves out an instruction that does not fit, and never wraps a line', () => {
    const instruction = 'a very long instruction '.repeat(20);
    for (const line of treeLines([node('k3xq.0', null, { instruction })], plain, 60)) expect(line.length).toBeLessThanOrEqual(60);
    expect(treeLines([node('k3xq.0', null, { instruction })], plain, 44)).toEqual(['k3xq.0 · files · thinking · on local']);
  });

  it('strips control characters from the words of a model', () => {
    const lines = treeLines([node('k3xq.0', null, { instruction: 'x\u001b[2J\ny' })], plain, 100);
    expect(lines).toEqual(['k3xq.0 · files · thinking · on local “x y”']);
  });
});

describe('colour', () => {
  const red = (stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv, wanted = true) => paintFor(stream, env, wanted).red('x');
  it('is used on a terminal only, without NO_COLOR and --no-color', () => {
    expect(red({ isTTY: true }, {})).toBe('\u001b[31mx\u001b[39m');
    expect(red({}, {})).toBe('x');
    expect(red({ isTTY: true }, { NO_COLOR: '1' })).toBe('x');
    expect(red({ isTTY: true }, { NO_COLOR: '' })).not.toBe('x');
    expect(red({ isTTY: true }, {}, false)).toBe('x');
  });
});
