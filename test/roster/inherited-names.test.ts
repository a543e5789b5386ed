/** Names come from rosters, plans, models and people. One that every object has must not find what the object has inherited. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isBorneOut } from '../../actors/primary/decide.ts';
import { addUsage, type UsageByBackend } from '../../machines/conversation.ts';
import * as plan from '../../machines/plan.ts';
import { ModelError, RosterError } from '../../roster/errors.ts';
import { keyProblem, readKey } from '../../roster/key.ts';
import { parseRoster } from '../../roster/load.ts';
import { durationMs, sizeBytes } from '../../roster/quantity.ts';
import { never, rig, user } from './rig.ts';

const inherited = Object.getOwnPropertyNames(Object.prototype);
const name = fc.constantFrom(...inherited);
const roster = (more: string): string => `backends: { main: { base_url: "http://127.0.0.1:1/v1", model: m } }\n${more}`;
const node = (key: string, after: readonly string[] = []): plan.PlanNode =>
  plan.planned({ key, type: 'files', instruction: 'x', needs: [], after: [...after], backend: null });

test('no look-up finds an inherited name', async () => {
  const { backends } = rig(roster(''));
  await fc.assert(
    fc.asyncProperty(name, async (it) => {
      expect(() => parseRoster(roster(`reducer: ${it}`), '/x')).toThrow(RosterError);
      expect(() => parseRoster(roster(`${it}: 1`), '/x')).toThrow(RosterError);
      expect(() => parseRoster(roster(`limits: { ${it}: 1 }`), '/x')).toThrow(RosterError);
      expect(keyProblem({ from: 'env', name: it }, {})).toMatch(/not set/);
      expect(readKey({ from: 'env', name: it }, {})).toHaveProperty('problem');
      expect([durationMs(`5${it}`), sizeBytes(`5${it}`)]).toEqual([null, null]);
      expect(new ModelError(it, 'main', 'x').hint).toBe('');
      expect(backends.worstCaseUsd(it, user('x'))).toBeNull();
      const call = backends.call(it, user('x'), never);
      await expect(call.next()).rejects.toMatchObject({ code: 'unknown-backend' });
      expect(plan.nodeOf({}, it)).toBeUndefined();
      expect(plan.check([node('a', [it])])).toMatchObject({ code: 'unknown-after' });
      expect(isBorneOut('hello', { tool: it, args: {} }, 'k3.0', [])).toBe(true);
    }),
  );
  await backends.stop();
});

test('a name that every object has is a name like any other where one may be chosen', () => {
  fc.assert(
    fc.property(name, (it) => {
      const isName = /^[a-z]/i.test(it);
      const entry = `backends: { ${it}: { base_url: "http://h/v1", model: m } }\nreducer: ${it}`;
      if (isName) expect(Object.keys(parseRoster(entry, '/x').backends)).toEqual([it]);
      else expect(() => parseRoster(entry, '/x')).toThrow(/not a good name/);
      const nodes = plan.put({}, node(it), node('last', [it]));
      expect(plan.nodeOf(nodes, it)?.key).toBe(it);
      expect(plan.dependants(nodes, it).map(({ key }) => key)).toEqual(['last']);
      const usage: UsageByBackend = Object.fromEntries([[it, { inputTokens: 1, outputTokens: 1, costUsd: 0 }]]);
      expect(addUsage(usage[it]!, usage[it]!).inputTokens).toBe(2);
    }),
  );
});
