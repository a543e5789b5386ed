import { expect, test } from 'vitest';
import { readEdit, withEdits } from '../../roster/edit-roster.ts';
import type { RosterError } from '../../roster/errors.ts';
import { parseRoster } from '../../roster/load.ts';

const roster = `# my machine
backends:
  # the small one
  local:    { kind: embedded, good_at: [extract, files], can_orchestrate: true }   # laptop
  gpt-4.1:  # the dear one
    base_url: https://api.example/v1   # over the wire
    model: gpt-4.1
    key: env:API_KEY
    good_at:
      - plan
      - code     # best at it
      - law
budgets:
  goal_usd: 2.50   # dollars

# nobody reduces but the planner
reducer: orchestrator
`;
const edited = (edits: readonly string[], text = roster) => withEdits(text, '/r.yaml', edits.map(readEdit)).text;
/** The lines that differ, those that go first. */
const difference = (edits: readonly string[], text = roster) => {
  const [olds, news] = [text.split('\n'), edited(edits, text).split('\n')];
  return [
    ...olds.filter((line) => !news.includes(line)).map((line) => `-${line}`),
    ...news.filter((line) => !olds.includes(line)).map((line) => `+${line}`),
  ];
};
const refusal = (edits: readonly string[], text = roster): RosterError => {
  try {
    edited(edits, text);
  } catch (error) {
    return error as RosterError;
  }
  throw new Error('it was not refused');
};

test.each<[string, string, string[]]>([
  ['a value', 'budgets.goal_usd=3', ['-  goal_usd: 2.50   # dollars', '+  goal_usd: 3   # dollars']],
  ['no limit', 'budgets.goal_usd=null', ['-  goal_usd: 2.50   # dollars', '+  goal_usd: null   # dollars']],
  ['a key that is new', 'budgets.task_usd=0.5', ['+  task_usd: 0.5']],
  ['a section that is new', 'supervision.concurrency=4', ['+supervision:', '+  concurrency: 4']],
  ['a backend whose name has a dot', 'backends.gpt-4.1.opt_in=true', ['+    opt_in: true']],
  ['a name in quotes', 'backends."gpt-4.1".can_delegate=false', ['+    can_delegate: false']],
  [
    'a key within braces',
    'backends.local.concurrency=2',
    [
      '-  local:    { kind: embedded, good_at: [extract, files], can_orchestrate: true }   # laptop',
      '+  local:    { kind: embedded, good_at: [extract, files], can_orchestrate: true, concurrency: 2 }   # laptop',
    ],
  ],
  [
    'a list on one line',
    'backends.local.good_at=[extract, files, plan]',
    [
      '-  local:    { kind: embedded, good_at: [extract, files], can_orchestrate: true }   # laptop',
      '+  local:    { kind: embedded, good_at: [extract, files, plan], can_orchestrate: true }   # laptop',
    ],
  ],
  [
    'a key within braces that goes',
    'backends.local.can_orchestrate=',
    [
      '-  local:    { kind: embedded, good_at: [extract, files], can_orchestrate: true }   # laptop',
      '+  local:    { kind: embedded, good_at: [extract, files] }   # laptop',
    ],
  ],
  ['an item of a list of several lines', 'backends.gpt-4.1.good_at=[plan, code, law, files]', ['+      - files']],
  ['an item that goes', 'backends.gpt-4.1.good_at=[code, law]', ['-      - plan']],
  ['a key that goes with its lines', 'backends.gpt-4.1.key=', ['-    key: env:API_KEY']],
  ['a backend of its own', 'backends.new={kind: embedded, good_at: [a]}', ['+  new: {kind: embedded, good_at: [a]}']],
])('%s is changed, and every other line stays', (_, edit, lines) => {
  expect(difference([edit])).toEqual(lines);
});

test('several edits are one change', () => {
  const text = edited(['backends.gpt-4.1.opt_in=true', 'reducer=concat', 'backends.gpt-4.1.concurrency=2']);
  expect(parseRoster(text, '/r.yaml')).toMatchObject({
    reducer: 'concat',
    backends: { 'gpt-4.1': { optIn: true, concurrency: 2, key: { name: 'API_KEY' } } },
  });
  expect(text.match(/#.*/g)).toEqual(roster.match(/#.*/g));
});

test('a comment is the same with the line ends of Windows', () => {
  const text = roster.replaceAll('\n', '\r\n');
  const after = edited(['budgets.task_usd=1', 'supervision.concurrency=3'], text);
  expect(after.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
  expect(parseRoster(after, '/r.yaml').supervision.concurrency).toBe(3);
});

test('a value that the schema does not take is refused with path and line', () => {
  const error = refusal(['budgets.goal_usd=much']);
  expect(error.code).toBe('roster-invalid');
  expect(error.hint).toMatch(/^Nothing was changed/);
  expect(error.message).toMatch(/^\/r\.yaml:14:13: budgets\.goal_usd: expected number/);
  expect(refusal(['backends.local.opt_out=true']).message).toMatch(/:4:\d+: backends\.local: unknown key `opt_out`/);
  expect(refusal(['reducer=nobody']).message).toMatch(/:17:\d+: reducer: expected orchestrator/);
});

test('a key that somebody pastes is refused, and nowhere repeated', () => {
  const error = refusal(['backends.gpt-4.1.key=sk-secret']);
  expect(error.message).toContain('a key is only ever a reference');
  expect(JSON.stringify([error.message, error.hint, error.problems])).not.toContain('sk-secret');
});

const aliased = 'backends:\n  a: { kind: embedded, good_at: &all [plan] }\n  b: { kind: embedded, good_at: *all }\n';
test('an edit that would reach other places through an alias is refused with its line', () => {
  expect(refusal(['backends.a.good_at=[plan, x]'], aliased)).toMatchObject({ code: 'roster-edit', problems: [{ line: 2 }] });
  expect(refusal(['backends.a.good_at='], aliased)).toMatchObject({ problems: [{ line: 2 }] });
  // The alias itself may give way to a value of its own.
  const { backends } = parseRoster(edited(['backends.b.good_at=[x]'], aliased), '/r.yaml');
  expect(backends).toMatchObject({ a: { goodAt: ['plan'] }, b: { goodAt: ['x'] } });
});

test('a mapping is not replaced as a whole, and a place in a list has no path', () => {
  expect(refusal(['backends.gpt-4.1=x'])).toMatchObject({
    problems: [{ line: 5, message: expect.stringMatching(/keys of its own/) }],
  });
  expect(refusal(['backends.a.good_at.0=x'], aliased)).toMatchObject({ problems: [{ line: 2 }] });
});

test('comments within a list are not lost: the edit is refused', () => {
  const error = refusal(['backends.gpt-4.1.good_at=[law, code]']);
  expect(error.message).toBe(
    '/r.yaml:9: backends.gpt-4.1.good_at: comments stand in this list, which would be lost: change it in an editor',
  );
  expect(edited(['backends.gpt-4.1.good_at=[law]'])).not.toContain('best at it');
});

test('a file that is no YAML is refused with its line', () => {
  expect(refusal(['reducer=concat'], 'backends: { a: { kind: embedded }\nreducer: concat\n')).toMatchObject({
    code: 'roster-invalid',
  });
});

test('text that would be read as something else is written in quotes', () => {
  const text = edited(['backends.local.model="a: #b, [c]"', 'agents.x.prompt="one\\ntwo: three"']);
  expect(parseRoster(text, '/r.yaml')).toMatchObject({
    backends: { local: { model: 'a: #b, [c]' } },
    agents: { x: { prompt: 'one\ntwo: three' } },
  });
});

test.each([['backends'], ['=1'], ['a.b=[1'], ['__proto__.a=1'], ['..=1']])('%s is no edit', (edit) => {
  expect(refusal([edit])).toMatchObject({ code: 'roster-edit' });
});
