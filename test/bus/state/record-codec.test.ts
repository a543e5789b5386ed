import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { encodeRecord, newRecord, parseRecord } from '../../../bus/state/state-record.ts';

const record = (instruction: string) => {
  const spec = { type: 'files', instruction, needs: [], backend: null, workspace: null, deadlineAt: null };
  return newRecord('k3xq.0', { ...spec, limits: {}, plan: null, avoid: [], context: [] }, 'me', '2026-01-01T00:00:00.000Z');
};
const bytesOf = (value: string | Uint8Array) => (typeof value === 'string' ? Buffer.from(value) : value);

test('a small record is JSON that any client can read', () => {
  const { value } = encodeRecord(record('small'));
  const { run: t, ticketSeq: q, ...rest } = record('small');
  expect(JSON.parse(value as string)).toEqual({ ...rest, t, q });
  expect(parseRecord(bytesOf(value), 'k3xq.0')).toEqual(record('small'));
});

test('a large record is compressed and read like the others', () => {
  const large = record('a plan of many sub-tasks, '.repeat(100_000));
  const { value, chars } = encodeRecord(large);
  expect(value.length).toBeLessThan(chars / 10);
  expect(parseRecord(bytesOf(value), 'k3xq.0')).toEqual(large);
});

test('a record that no reader would unpack is not written', () => {
  expect(() => encodeRecord(record('x'.repeat(65 * 2 ** 20)))).toThrow(expect.objectContaining({ code: 'message-too-big' }));
});

test('a record under the id of another task is no record', () => {
  const { value } = encodeRecord(record('small'));
  expect(parseRecord(bytesOf(value), 'k3xq.1')).toBeNull();
});

const { run: t, ticketSeq: q, ...rest } = record('small');
const whole = { ...rest, t, q };
const row = { id: null, key: 'a', type: 'files', instruction: 'x', after: [], status: 'waiting' };
test.each([
  ['instruction', undefined],
  ['spec', { type: 'files', backend: null }],
  ['plan', [null]],
  ['plan', [{ ...row, after: 'b' }]],
  ['known', [1]],
  ['inbox', [null]],
  ['last', {}],
  ['outbox', [null]],
  ['result', { output: 'x' }],
  ['snapshot', 'x'],
  ['snapshot', { context: null }],
  ['artifacts', null],
  ['children', 1.5],
])('a value whose %s is %o is no record', (field, value) => {
  const parsed = (it: object) => parseRecord(Buffer.from(JSON.stringify(it)), 'k3xq.0');
  expect(parsed({ ...whole, plan: [row] })).not.toBeNull();
  expect(parsed({ ...whole, [field]: value })).toBeNull();
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['text', Buffer.from('hello')],
  ['JSON of another kind', Buffer.from('{"id":"k3xq.0"}')],
  ['a broken gzip', Buffer.from([0x1f, 0x8b, 1, 2, 3])],
  ['a gzip that would fill the memory', gzipSync(Buffer.alloc(65 * 2 ** 20))],
])('%s is no record', (_, data) => {
  expect(parseRecord(data, 'k3xq.0')).toBeNull();
});
