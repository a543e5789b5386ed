import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  check,
  dependants,
  doomed,
  explain,
  failDoomed,
  maxNodes,
  type NodeSpec,
  type Plan,
  type PlanNode,
  planned,
  put,
  ready,
} from '../../machines/plan.ts';

const node = (key: string, ...after: string[]): NodeSpec => ({
  key,
  type: 'files',
  instruction: key,
  needs: [],
  after,
  backend: null,
});
const plan = (...nodes: PlanNode[]): Plan => put({}, ...nodes);
const be = (status: PlanNode['status'], spec: NodeSpec): PlanNode => ({ ...planned(spec), status });
const keys = (nodes: readonly PlanNode[]) => nodes.map(({ key }) => key);

describe('the check of a plan', () => {
  it('finds a key that is there twice', () => {
    expect(check([node('a'), node('a')])).toEqual({ code: 'duplicate-key', key: 'a' });
  });

  it('finds an unknown dependency, unless it is in the existing plan', () => {
    expect(check([node('a', 'b')])).toEqual({ code: 'unknown-after', key: 'a', after: 'b' });
    expect(check([node('a', 'b')], ['b'])).toBeNull();
  });

  it('does not take a property of every object for a sub-task', () => {
    expect(check([node('a', 'constructor')])?.code).toBe('unknown-after');
  });

  it('finds a plan that is too big', () => {
    const nodes = Array.from({ length: maxNodes + 1 }, (_, i) => node(`n${i}`));
    expect(check(nodes)).toEqual({ code: 'too-many', count: maxNodes + 1 });
    expect(check(nodes.slice(1))).toBeNull();
  });

  it('names sub-tasks in a cycle and those that depend on them', () => {
    expect(check([node('a'), node('b', 'a', 'c'), node('c', 'b'), node('d', 'c')])).toEqual({
      code: 'cycle',
      keys: ['b', 'c', 'd'],
    });
    expect(check([node('a', 'a')])?.code).toBe('cycle');
  });

  it('accepts any order of a plan without cycles, and refuses it with a link back', () => {
    const graph = fc.array(fc.array(fc.nat(), { maxLength: 3 }), { minLength: 2, maxLength: 12 });
    fc.assert(
      fc.property(graph, fc.nat(), (links, turn) => {
        const nodes = links.map((to, i) => node(`n${i}`, ...(i === 0 ? [] : to.map((j) => `n${j % i}`))));
        const shuffled = [...nodes.slice(turn % nodes.length), ...nodes.slice(0, turn % nodes.length)];
        expect(check(shuffled)).toBeNull();
        const end = nodes.findLast(({ after }) => after.length > 0);
        if (!end) return;
        const back = shuffled.map((each) => (each.key === end.after[0] ? { ...each, after: [...each.after, end.key] } : each));
        expect(check(back)?.code).toBe('cycle');
      }),
    );
  });

  it('explains an error in words', () => {
    expect(explain({ code: 'unknown-after', key: 'a', after: 'b' })).toBe('a comes after b, which is no sub-task of the plan');
  });
});

describe('the sub-tasks that may start', () => {
  it('are those with resolved dependencies, in order, up to the limit', () => {
    const now = plan(
      be('returned', node('a')),
      be('waiting', node('b', 'a')),
      be('waiting', node('c', 'b')),
      be('waiting', node('d')),
    );
    expect(keys(ready(now, [], 9, []))).toEqual(['b', 'd']);
    expect(keys(ready(now, [], 1, []))).toEqual(['b']);
  });

  it('do not count those that wait for their operator', () => {
    const now = plan({ ...be('running', node('a')), child: 7 }, be('waiting', node('b')), be('waiting', node('c')));
    expect(keys(ready(now, [], 1, []))).toEqual([]);
    expect(keys(ready(now, [], 1, [7]))).toEqual(['b']);
  });

  it('are at least one, however small the limit is', () => {
    expect(keys(ready(plan(be('waiting', node('a'))), [], 0, []))).toEqual(['a']);
  });

  it('include one with a failed dependency, unless all its dependencies failed', () => {
    const failed = be('failed', node('a'));
    const needs = be('waiting', node('c', 'a', 'b'));
    expect(keys(ready(plan(failed, be('returned', node('b')), needs), [], 9, []))).toEqual(['c']);
    const lost = plan(failed, be('failed', node('b')), needs, be('waiting', node('d', 'c')));
    expect(keys(ready(lost, [], 9, []))).toEqual([]);
    expect(keys(doomed(lost, []))).toEqual(['c']);
    expect(failDoomed(lost, []).d).toMatchObject({ status: 'failed', failure: { code: 'dependency-failed' } });
  });

  it('exclude one whose failed dependency is being asked about', () => {
    const now = plan(be('failed', node('a')), be('returned', node('b')), be('waiting', node('c', 'a', 'b')));
    expect(keys(ready(now, ['a'], 9, []))).toEqual([]);
    expect(keys(doomed(now, ['a']))).toEqual([]);
  });
});

it('the dependants of a sub-task include indirect ones', () => {
  const now = plan(planned(node('c', 'b')), planned(node('b', 'a')), planned(node('a')), planned(node('d')));
  expect(keys(dependants(now, 'a'))).toEqual(['c', 'b']);
});
