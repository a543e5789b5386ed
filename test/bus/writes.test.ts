import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Bus } from '../../bus/bus.ts';
import { publish } from '../../bus/publish.ts';
import { type TestCrew, testCrew } from '../support/crew.ts';

let crew: TestCrew;
let bus: Bus;
beforeEach(async () => {
  crew = await testCrew();
  bus = (await crew.join()).bus;
});
afterEach(() => crew.stop());

const subject = (n: number) => bus.subjects.of(`tree.${n}`, 'status');
const write = (n: number, lastSubjectSequence: number, msgID = `w${n}`) =>
  publish(bus, subject(n), `number ${n}`, { msgID, expect: { lastSubjectSequence } });
const stored = (seq: number) => bus.jsm.streams.getMessage(bus.subjects.logStream, { seq });
const numbers = Array.from({ length: 400 }, (_, i) => i + 1);

test('each of many writes of one tick gets its own sequence in the stream, while others write too', async () => {
  const other = (await crew.join('other')).bus;
  const others = numbers.map((n) => publish(other, other.subjects.of(`other.${n}`, 'status'), 'x', {}));
  const written = await Promise.all(numbers.map((n) => write(n, 0)));
  await Promise.all(others);
  for (const [i, it] of written.entries()) {
    const message = it.ok ? await stored(it.seq) : null;
    expect(message?.string()).toBe(`number ${i + 1}`);
  }
});

test('a write whose expectation fails is refused alone, and the others are stored once', async () => {
  await write(7, 0, 'earlier');
  const written = await Promise.all(numbers.map((n) => write(n, 0)));
  expect(written.flatMap(({ ok }, i) => (ok ? [] : [i + 1]))).toEqual([7]);
  const { state } = await bus.jsm.streams.info(bus.subjects.logStream);
  expect(state.messages).toBe(numbers.length);
});

test('writes that are sent again, all or some, are stored once', async () => {
  const first = await Promise.all(numbers.map((n) => publish(bus, subject(n), 'x', { msgID: `w${n}` })));
  const again = await Promise.all([...numbers, 401].map((n) => publish(bus, subject(n), 'x', { msgID: `w${n}` })));
  const { state } = await bus.jsm.streams.info(bus.subjects.logStream);
  expect(state.messages).toBe(numbers.length + 1);
  expect(again.slice(0, -1)).toEqual(first.map((it) => ({ ...it, duplicate: true })));
});

test('writes to one subject keep their order', async () => {
  const written = await Promise.all(numbers.map((n) => publish(bus, subject(1), `number ${n}`, {})));
  const seqs = written.map((it) => (it.ok ? it.seq : 0));
  expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
  expect((await stored(seqs.at(-1)!))!.string()).toBe('number 400');
});

test('two writes to a subject without expectations keep their order beside many others', async () => {
  const say = (n: number, text: string) => publish(bus, bus.subjects.of(`tree.${n}`, 'steering'), text, {});
  const others = numbers.slice(1).map((n) => say(n, 'to another'));
  const [first, second] = await Promise.all([say(1, 'first'), say(1, 'second')]);
  await Promise.all(others);
  expect(first.ok && second.ok && first.seq < second.seq).toBe(true);
});
