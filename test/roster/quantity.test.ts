import { expect, test } from 'vitest';
import { durationMs, sizeBytes } from '../../roster/quantity.ts';

test.each([
  ['90s', 90_000],
  ['15m', 900_000],
  ['1.5h', 5_400_000],
  ['30d', 2_592_000_000],
  [' 2 w ', 1_209_600_000],
  ['0s', 0],
  ['30', null],
  ['d', null],
  ['-1d', null],
  ['1y', null],
  ['1M', null],
  ['1e3s', null],
])('the duration %s is parsed or refused', (text, expected) => expect(durationMs(text)).toBe(expected));

test.each([
  ['500MB', 500_000_000],
  ['1.5 gb', 1_500_000_000],
  ['2kB', 2_000],
  ['17b', 17],
  ['2', null],
  ['2GiB', null],
  ['GB', null],
  ['-1GB', null],
])('the size %s is parsed or refused', (text, expected) => expect(sizeBytes(text)).toBe(expected));
