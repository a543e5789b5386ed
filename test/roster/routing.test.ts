import { expect, test } from 'vitest';
import { rig } from './rig.ts';

const roster = `
backends:
  small:  { kind: embedded, model: small, good_at: [extract] }
  big:    { kind: embedded, good_at: [extract, plan], can_orchestrate: true, can_delegate: false, context: 16000 }
  twin:   { kind: embedded, good_at: [extract, plan], context: 32000 }
  cheap:  { base_url: https://a.example/v1, model: m, opt_in: true, good_at: [extract, plan, code], cost: { input: 1, output: 2 } }
  dear:   { base_url: https://a.example/v1, model: m, opt_in: true, good_at: [code, law], cost: { input: 2, output: 8 } }
  dearer: { base_url: https://a.example/v1, model: m, opt_in: true, good_at: [law] }
  off:    { base_url: https://a.example/v1, model: m, good_at: [code], cost: { input: 0, output: 0 } }
  nokey:  { base_url: https://a.example/v1, model: m, opt_in: true, key: env:NOT_SET, good_at: [code], cost: { input: 0, output: 0 } }
  cli:    { kind: command, command: [claude], opt_in: true, good_at: [code] }
`;
const need = { needs: ['plan'] };

test.each([
  ['the cheapest that is good at all needs', { needs: ['code'] }, 'cheap', /good at code, the cheapest of 2/],
  ['a backend with a known cost before one with an unknown cost', { needs: ['law'] }, 'dear', /cheapest of 2/],
  ['the backend that was asked for, whatever it is good at', { needs: ['law'], backend: 'small' }, 'small', /it was asked for/],
  ['a backend that can orchestrate', { needs: [], orchestrate: true }, 'big', /the only one available/],
  ['a backend whose context is large enough', { ...need, minContext: 20_000 }, 'twin', /cheapest of 2/],
  [
    'no sub-task for a backend that gets none',
    { needs: ['plan'], isSubTask: true, not: ['twin', 'cheap'] },
    null,
    /big: it gets no sub-tasks/,
  ],
  [
    'no sub-task for a backend that gets none, also not by name',
    { needs: [], backend: 'big', isSubTask: true },
    null,
    /big was asked for, but it gets no sub-tasks/,
  ],
  ['a goal for a backend that gets no sub-tasks', { needs: [], orchestrate: true, backend: 'big' }, 'big', /asked for/],
  ['none of the backends that were excluded', { ...need, not: ['big', 'twin'] }, 'cheap', /only one/],
  [
    'no backend if none is good at the need',
    { needs: ['magic'] },
    null,
    /needs magic.*small: it is not said to be good at magic/,
  ],
  [
    'no backend if the requested one is off',
    { needs: [], backend: 'off' },
    null,
    /off was asked for, but it is off until `opt_in: true`/,
  ],
  ['no backend if the requested one is unknown', { needs: [], backend: 'what' }, null, /not in the roster \(small, big/],
  ['no backend if the requested one was excluded', { needs: [], backend: 'big', not: ['big'] }, null, /left out/],
  [
    'no backend if the requested one cannot orchestrate',
    { needs: [], backend: 'small', orchestrate: true },
    null,
    /cannot orchestrate/,
  ],
])('routing chooses %s', (_what, wanted, backend, why) => {
  const route = rig(roster).backends.route(wanted);
  expect(route.backend).toBe(backend);
  expect(route.why).toMatch(why);
});

test('equal backends are chosen in rotation, and each other one has the reason', () => {
  const { backends } = rig(roster);
  expect([1, 2, 3, 4].map(() => backends.route(need).backend)).toEqual(['big', 'twin', 'big', 'twin']);
  const { losers, why } = backends.route(need);
  expect(why).toBe('good at plan, the next in rotation among 2 equally cheap ($0 per million tokens in and out)');
  expect(Object.fromEntries(losers.map((it) => [it.backend, it.why]))).toMatchObject({
    twin: 'equally cheap, not the next in rotation',
    cheap: 'dearer',
    small: 'it is not said to be good at plan',
    off: 'it is not said to be good at plan',
  });
  expect(losers).toHaveLength(8);
});

test('the first of equal backends is always chosen without rotation', () => {
  const { backends } = rig(`${roster}routing: { rotate: false }`);
  expect([1, 2].map(() => backends.route(need).backend)).toEqual(['big', 'big']);
});

test('the roster can limit routing to some tiers', () => {
  const route = rig(`${roster}routing: { tiers: [api] }`).backends.route(need);
  expect(route.backend).toBe('cheap');
  expect(route.losers).toContainEqual({ backend: 'big', why: 'its tier local is not among `routing.tiers`' });
});

test('the menu says which backends are available, and why the others are not', () => {
  const entries = Object.fromEntries(
    rig(roster)
      .backends.menu()
      .map((it) => [it.name, it]),
  );
  expect(entries.big).toMatchObject({
    available: true,
    why: null,
    tier: 'local',
    goodAt: ['extract', 'plan'],
    canOrchestrate: true,
    cost: { input: 0, output: 0 },
  });
  expect(entries.off).toMatchObject({ available: false, why: expect.stringContaining('opt_in: true') });
  expect(entries.nokey).toMatchObject({ available: false, why: expect.stringContaining('NOT_SET is not set') });
  expect(entries.cli).toMatchObject({ available: false, model: null, tier: 'subscription' });
  expect(
    rig(roster, { env: { NOT_SET: 'k' } })
      .backends.menu()
      .find((it) => it.name === 'nokey')?.available,
  ).toBe(true);
});
