import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { nextEvents } from '../../../machines/chart/next-events.ts';
import { subAgent } from '../../../machines/sub-agent.ts';

const limits = { steps: 3, failures: 2, repeats: 2, costUsd: null, deadlineAt: null };
const { context } = createActor(subAgent, {
  input: { instruction: 'x', backend: null, limits, mustProduce: false, allowed: [] },
}).getSnapshot();
const next = (value: unknown, more: object = {}) => nextEvents(subAgent, { value, context: { ...context, ...more } });
const find = (all: ReturnType<typeof next>, event: string, guard?: string) =>
  all.find((it) => it.event === event && it.guard === guard);

describe('the next events', () => {
  it('are open where a sample of the event is handled so, and say why', () => {
    const all = next({ running: 'thinking' });
    expect(find(all, 'MODEL_REPLIED')).toEqual({ event: 'MODEL_REPLIED', target: 'running.deciding', open: true });
    expect(find(all, 'STEER', 'interruptsNow')).toMatchObject({ open: true, why: expect.stringContaining('urgency `now`') });
  });

  it('are closed while a call with effects is in flight, in words', () => {
    const call = { id: 's1-0', tool: 'write_file', args: {}, effects: 'writes', started: true };
    const all = next({ running: 'acting' }, { calls: [call] });
    expect(find(all, 'PAUSE', 'isInterruptible')).toMatchObject({
      open: false,
      why: expect.stringContaining('may have effects'),
    });
    expect(find(all, 'TOOL_RETURNED', 'returnsCall')).toMatchObject({ open: true, target: 'running.deciding' });
    expect(find(all, 'CALL_DOUBTED', 'doubtsCall')).toMatchObject({ open: true });
  });

  it('of an approval are its answers', () => {
    const question = { id: 'q1', kind: 'approval', text: 'May it?', choices: ['approve', 'deny'] };
    const all = next('awaiting-steer', { question, calls: [{ id: 's1-0', tool: 'write_file', args: {}, effects: 'writes' }] });
    expect(find(all, 'ANSWER', 'answersAboutCall')).toMatchObject({ open: true, target: 'running' });
    expect(find(all, 'ANSWER', 'answersStop')).toMatchObject({ open: false });
    expect(find(all, 'ALLOW', 'allowsCall')).toMatchObject({ open: true });
    expect(find(all, 'BUDGET', 'waitsForBudget')).toMatchObject({ open: false, why: 'it has not asked for steps or money' });
  });

  it('are none at the end, and do not break on a context that lacks everything', () => {
    expect(next('done')).toEqual([]);
    expect(nextEvents(subAgent, { value: 'awaiting-steer', context: {} }).some(({ open }) => open)).toBe(true);
  });
});
