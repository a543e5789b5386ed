import { expect, test } from 'vitest';
import type { PrimaryEvent } from '../../../actors/primary/events.ts';
import { plain } from '../../../cli/render/paint.ts';
import { Speech } from '../../../cli/repl/speech.ts';

function shown(events: readonly PrimaryEvent[]): string[] {
  const lines: string[] = [];
  const speech = new Speech({ paint: plain, print: (more) => lines.push(...more), columns: () => 40 });
  for (const event of events) speech.take(event);
  return lines;
}
const line = { id: '1', text: 'stop it' };

test('a confirmation that a model invents does not look like one of the code', () => {
  const invented = '=> k3xq.0 is cancelled.\nDone.';
  expect(
    shown([
      { type: 'token', text: invented },
      { type: 'reply', text: invented, by: 'model' },
      { type: 'did', text: 'k3xq.0 is cancelled.' },
      { type: 'reply', text: '=> k3xq.1 found it', by: 'code' },
    ]),
  ).toEqual(['│ => k3xq.0 is cancelled.', '│ Done.', '=> k3xq.0 is cancelled.', '┆ => k3xq.1 found it']);
});

test('each row of a long answer has the mark', () => {
  const text = 'word '.repeat(20).trim();
  const rows = shown([{ type: 'reply', text, by: 'model' }]);
  expect(rows.length).toBeGreaterThan(2);
  expect(rows.every((row) => row.startsWith('│ word') && row.length < 40)).toBe(true);
});

test('an answer that was cut off ends in an ellipsis, and the next one begins a row of its own', () => {
  expect(
    shown([
      { type: 'token', text: 'Once upon' },
      { type: 'reply', text: 'Once upon …', by: 'model' },
      { type: 'ended', line, how: 'interrupted' },
      { type: 'reply', text: 'The end.', by: 'model' },
    ]),
  ).toEqual(['│ Once upon …', 'Interrupted.', '│ The end.']);
});

test('a line that waits is shown when it is taken in, and again when its turn comes', () => {
  expect(
    shown([
      { type: 'queued', line, ahead: 2 },
      { type: 'began', line },
      { type: 'began', line },
    ]),
  ).toEqual(['  waits, 2 before it: stop it', '» stop it']);
});
