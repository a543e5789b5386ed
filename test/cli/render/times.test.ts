import { afterEach, describe, expect, it } from 'vitest';
import type { Status } from '../../../bus/messages.ts';
import { plain } from '../../../cli/render/paint.ts';
import { statusReport } from '../../../cli/render/status.ts';
import { shortTime, timeAndAge } from '../../../cli/render/times.ts';

const zone = process.env.TZ;
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});
const inZone = (name: string, iso: string, now: string) => {
  process.env.TZ = name;
  return shortTime(iso, new Date(now));
};

describe('a time', () => {
  it('is in the zone of the operator, with the day where that is another one there', () => {
    const [at, now] = ['2026-11-26T22:04:05.678Z', '2026-11-26T23:30:00.000Z'];
    expect(inZone('UTC', at, now)).toBe('22:04');
    expect(inZone('Europe/Berlin', at, now)).toBe('26 Nov 23:04');
    expect(inZone('Asia/Tokyo', at, now)).toBe('07:04');
  });

  it('has the year of another year', () => {
    expect(inZone('UTC', '2025-12-31T23:59:59.000Z', '2026-01-01T00:00:00.000Z')).toBe('31 Dec 2025 23:59');
  });

  it('comes with its age', () => {
    process.env.TZ = 'UTC';
    expect(timeAndAge('2026-11-26T12:04:00.000Z', new Date('2026-11-26T12:07:10.000Z'))).toBe('12:04 (3 min ago)');
  });

  it('is short in the status of a task', () => {
    process.env.TZ = 'America/New_York';
    const at = '2026-11-26T17:04:00.000Z';
    const status: Status = {
      ...{
        id: 'k3xq.1',
        type: 'files',
        commit: 2,
        epoch: 1,
        at,
        node: 'n',
        state: 'thinking',
        step: 1,
        backend: null,
        paused: false,
      },
      ...{ question: null, receipts: [], usage: { inputTokens: 0, outputTokens: 0, costUsd: 0 }, outcome: null, lastToolAt: at },
    };
    expect(statusReport(status, new Date('2026-11-26T17:04:30.000Z'), plain)).toEqual([
      'k3xq.1 files thinking · step 1',
      '    last change 12:04 (30 s ago)',
      '    last tool   12:04 (30 s ago)',
    ]);
  });
});
