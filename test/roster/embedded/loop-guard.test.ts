import { expect, test } from 'vitest';
import { LoopGuard } from '../../../roster/embedded/loop-guard.ts';

const heard = (words: string[]): LoopGuard<string> => {
  const guard = new LoopGuard<string>();
  for (const word of words) guard.push(word);
  return guard;
};
const sentence = 'The user must not use the model for tasks that are not related to it .'.split(' ');

test('a sentence said twice may not begin a third time', () => {
  expect(heard([...sentence]).forbidden).toBeNull();
  expect(heard(['Well', ...sentence, ...sentence]).forbidden).toBe('The');
  expect(heard([...sentence, ...sentence, 'But']).forbidden).toBeNull();
});

test('one word over and over is a loop', () => {
  expect(heard(Array(40).fill('-')).forbidden).toBe('-');
  expect(heard(Array(10).fill('-')).forbidden).toBeNull();
});

test('a list of similar items is not a loop', () => {
  const items = ['a', 'b', 'c', 'd', 'e'].flatMap((item) => [...sentence, item]);
  expect(heard(items).forbidden).toBeNull();
});

test('a reply that was led out of loops again and again is lost', () => {
  const guard = new LoopGuard<string>();
  for (const way of ['one', 'two', 'three']) {
    expect(guard.isLost).toBe(false);
    for (const word of [...sentence, ...sentence, way]) guard.push(word);
  }
  expect(guard.isLost).toBe(true);
});
