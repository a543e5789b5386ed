import { beforeEach, expect, test } from 'vitest';
import { Breaker } from '../../roster/breaker.ts';
import { RosterFile } from '../../roster/schema.ts';
import { Semaphore } from '../../roster/semaphore.ts';

const { limits } = RosterFile.parse({
  backends: { a: { kind: 'embedded' } },
  limits: { breaker_failures: 2, breaker_seconds: 10 },
});
let now: number;
let breaker: Breaker;
beforeEach(() => {
  now = 0;
  breaker = new Breaker(
    () => limits,
    () => now,
  );
});
const failTimes = (times: number): void => {
  for (let i = 0; i < times; i++) breaker.failed();
};

test('only consecutive failures count', () => {
  breaker.failed();
  breaker.succeeded();
  breaker.failed();
  expect(breaker.allow()).toBe(true);
  breaker.failed();
  expect(breaker.allow()).toBe(false);
});

test('one call may try after the rest, and only one', () => {
  failTimes(2);
  now = 9_999;
  expect(breaker.allow()).toBe(false);
  now = 10_000;
  expect([breaker.allow(), breaker.allow()]).toEqual([true, false]);
});

test('a failed try opens the breaker again at once, and a successful one closes it', () => {
  failTimes(2);
  now = 10_000;
  breaker.allow();
  now = 12_000;
  breaker.failed();
  expect(breaker.restMs).toBe(10_000);
  now = 22_000;
  breaker.allow();
  breaker.succeeded();
  expect([breaker.allow(), breaker.allow()]).toEqual([true, true]);
  breaker.failed();
  expect(breaker.allow()).toBe(true);
});

test('an abandoned try leaves the try to the next call', () => {
  failTimes(2);
  now = 10_000;
  breaker.allow();
  breaker.abandoned();
  expect([breaker.allow(), breaker.allow()]).toEqual([true, false]);
});

test('an abandoned call changes neither a closed nor an open breaker', () => {
  breaker.abandoned();
  expect(breaker.restMs).toBe(0);
  failTimes(2);
  breaker.abandoned();
  expect(breaker.restMs).toBe(10_000);
});

test('a longer wait that the backend asks for counts', () => {
  breaker.failed(60_000);
  breaker.failed(60_000);
  expect(breaker.restMs).toBe(60_000);
});

const signal = new AbortController().signal;

test('a newcomer does not overtake callers in line', async () => {
  const line = new Semaphore(() => 1);
  const order: string[] = [];
  const leave = await line.enter(signal);
  const waiting = line.enter(signal).then((next) => {
    order.push('waiting');
    next();
  });
  leave();
  const newcomer = line.enter(signal).then((next) => {
    order.push('newcomer');
    next();
  });
  await Promise.all([waiting, newcomer]);
  expect(order).toEqual(['waiting', 'newcomer']);
});

test('a place is given back once, however often its holder leaves', async () => {
  const line = new Semaphore(() => 1);
  const leave = await line.enter(signal);
  leave();
  leave();
  expect(line.inUse).toBe(0);
});

test('callers in line go before a newcomer when places are added', async () => {
  let places = 1;
  const line = new Semaphore(() => places);
  await line.enter(signal);
  const waiting = [line.enter(signal), line.enter(signal)];
  places = 3;
  const newcomer = line.enter(signal);
  const leave = (await Promise.all(waiting))[0]!;
  expect([line.inUse, line.inLine]).toEqual([3, 1]);
  leave();
  await newcomer;
  expect([line.inUse, line.inLine]).toEqual([3, 0]);
});

test('a caller that is aborted before or in the line never gets a place', async () => {
  const line = new Semaphore(() => 1);
  await expect(line.enter(AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
  const leave = await line.enter(signal);
  const abort = new AbortController();
  const waiting = line.enter(abort.signal);
  abort.abort(new Error('gone'));
  await expect(waiting).rejects.toThrow('gone');
  leave();
  expect([line.inUse, line.inLine]).toEqual([0, 0]);
});

test('an urgent caller goes to the front of the line', async () => {
  const line = new Semaphore(() => 1);
  const order: string[] = [];
  const enter = async (name: string, isUrgent: boolean) => {
    const leave = await line.enter(new AbortController().signal, isUrgent);
    order.push(name);
    leave();
  };
  const leave = await line.enter(new AbortController().signal);
  const all = [enter('task a', false), enter('task b', false), enter('operator', true)];
  leave();
  await Promise.all(all);
  expect(order).toEqual(['operator', 'task a', 'task b']);
});
