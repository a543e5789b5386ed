import { expect, it } from 'vitest';
import type { NodeReport } from '../../../bus/messages.ts';
import { heldText, nodeLines } from '../../../cli/render/nodes.ts';
import { plain } from '../../../cli/render/paint.ts';

const now = new Date('2026-03-01T12:00:00Z');
const task = (id: string, since: string) => ({ id, type: 'files', state: 'acting' as const, step: 3, since });
const node: NodeReport = {
  name: 'cox-1',
  host: 'build-3',
  pid: 7,
  version: '0.1.0',
  since: '2026-02-27T12:00:00Z',
  types: ['files', 'reasoning'],
  slots: 8,
  draining: false,
  held: 0,
  tasks: [],
};

it('an idle node takes one line', () => {
  expect(nodeLines([node], now, plain)).toEqual([
    'cox-1 · idle · build-3 pid 7 · files, reasoning · 8 slots · up 2 days · v0.1.0',
  ]);
});

it('the tasks of a node are listed below it, and the unnamed ones are counted', () => {
  const busy = { ...node, draining: true, held: 3, tasks: [task('k3xq.4', '2026-03-01T11:59:48Z')] };
  expect(nodeLines([busy], now, plain).slice(1)).toEqual(['    k3xq.4 files · acting · step 3 · for 12 s', '    and 2 more']);
  expect(nodeLines([busy], now, plain)[0]).toContain('draining');
});

it('the list of a crew without nodes says how to start one', () => {
  expect(nodeLines([], now, plain).join()).toMatch(/No node is up/);
});

it('the text for a draining node names a few of its tasks', () => {
  const many = Array.from({ length: 10 }, (_, i) => task(`k3xq.${i}`, '2026-03-01T10:00:00Z'));
  expect(heldText(many, now)).toMatch(/^k3xq\.0 \(files, acting, for 2 h\), .* and 2 more$/);
});
