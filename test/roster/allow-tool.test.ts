import { expect, test } from 'vitest';
import { withAllowed } from '../../roster/allow-tool.ts';
import { parseRoster } from '../../roster/load.ts';

const backends = `# my machine
backends:
    main:  { kind: embedded }   # small
`;
const changed = (tools: string, tool = 'write_file') => {
  const text = `${backends}${tools}`;
  const after = withAllowed(text, tool, '/r.yaml');
  if (after) expect(parseRoster(after.text, '/r.yaml').tools.gated).not.toContain(tool);
  if (after) expect(after.text.startsWith(backends)).toBe(true);
  return after && { ...after, text: after.text.slice(backends.length) };
};

test.each([
  ['no rule for tools', '', 'tools:\n  allowed: [write_file]\n', 5],
  [
    'a section on one line',
    'tools: { gated: [write_file] } # ask\n',
    'tools: { gated: [write_file], allowed: [write_file] } # ask\n',
    4,
  ],
  ['an empty section', 'tools: {}\nbus: {}\n', 'tools: { allowed: [write_file] }\nbus: {}\n', 4],
  [
    'a section of several lines',
    'tools: # rules\n    # ask before\n    gated: [write_file]\nbus: {}\n',
    'tools: # rules\n    allowed: [write_file]\n    # ask before\n    gated: [write_file]\nbus: {}\n',
    5,
  ],
  ['a list on one line', 'tools:\n  allowed: [ remember ] # mine\n', 'tools:\n  allowed: [ remember, write_file ] # mine\n', 5],
  ['an empty list', 'tools:\n  allowed: []\n', 'tools:\n  allowed: [write_file]\n', 5],
  [
    'a list of several lines',
    'tools:\n  allowed:\n    - remember # notes\n\nbus: {}\n',
    'tools:\n  allowed:\n    - remember # notes\n    - write_file\n\nbus: {}\n',
    7,
  ],
  [
    'the line ends of Windows',
    'tools:\r\n  gated: [write_file]\r\n',
    'tools:\r\n  allowed: [write_file]\r\n  gated: [write_file]\r\n',
    5,
  ],
])('a tool is allowed by one line, with the rest of the file as it was: %s', (_, before, after, line) => {
  expect(changed(before)).toMatchObject({ text: after, line });
});

test('only the named tool is allowed, although write_file stands for others', () => {
  const { text } = changed('tools: { gated: [write_file] }\n', 'edit_file')!;
  expect(parseRoster(`${backends}${text}`, '/r.yaml').tools).toEqual({
    gated: ['write_file', 'apply_patch'],
    allowed: ['edit_file'],
  });
});

test('a file whose line would have another effect is left alone', () => {
  expect(changed('tools: &t\n  gated: [write_file]\n')).not.toBeNull();
  expect(withAllowed('{ backends: { a: { kind: embedded } } }', 'write_file', '/r.yaml')).toBeNull();
  expect(changed('tools: { allowed: &both [remember], gated: *both }\n')).toBeNull();
});
