/** Replies that are long, and chosen to be slow to read. Each of them blocked the process for minutes or hours. */
import { expect, test } from 'vitest';
import { cutMarkIn } from '../../bus/cut-mark.ts';
import { endingOf } from '../../roster/ending.ts';
import { answerSoFar } from '../../roster/live-answer.ts';
import { printedCalls } from '../../roster/printed-calls.ts';
import { readTextReply } from '../../roster/text-tools.ts';
import { splitThoughts } from '../../roster/thoughts.ts';

const tools = [{ name: 'read_file', description: 'x', parameters: { type: 'object', properties: {} } }];
const long = (unit: string): string => unit.repeat(Math.ceil(1_000_000 / unit.length));

test.each([
  ['a fence and blanks', '```json', long(' '), 'x'],
  ['a brace and many closing ones', '[TOOL_CALLS]read_file{', long('} '), 'x'],
  ['parameters that are never closed', '<tool_call><function=read_file>', long('<parameter=a>'), ''],
  ['keys that have no value', '<tool_call>read_file', long('<arg_key>a</arg_key><arg_value>'), ''],
  ['functions that are never closed', '', long('<function=a>'), ''],
  ['thoughts that are never closed', '', long('<think>'), ''],
  ['closing tags of thoughts', 'x', long(' </think> '), 'x'],
  ['calls that are never closed', '', long('<tool_call>'), ''],
  ['marks of a cut', '', long('[This text is incomplete: a ('), ''],
])('%s', (_what, head, body, tail) => {
  const text = head + body + tail;
  expect(printedCalls(text, tools)).toBeNull();
  expect(readTextReply(text, tools)?.calls ?? []).toEqual([]);
  expect(answerSoFar(text).length).toBeLessThanOrEqual(text.length);
  expect(splitThoughts(text).text.length).toBeLessThanOrEqual(text.length);
  expect(cutMarkIn(text)).toBeNull();
  expect(endingOf(text)).not.toMatchObject({ kind: 'whole' });
});
