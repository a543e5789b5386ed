/**
 * A node whose tools call the outside world: in a process of its own, to be killed, or in the test’s process, to go on after it.
 */
import { z } from 'zod';
import type { Kind } from '../../../actors/kinds/kind.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import { type CoxNode, startNode } from '../../../actors/node/node.ts';
import { defineTool } from '../../../actors/tools/tool.ts';
import type { Effects } from '../../../machines/conversation.ts';
import { parseRoster } from '../../../roster/load.ts';
import { input } from '../../models/sub-agent/alphabet.ts';
import { callOutside } from './outside.ts';

export interface WorkerSettings {
  /** The name of the run for the outside world, and its namespace on the bus. */
  readonly run: string;
  readonly modelUrl: string;
  readonly outsideUrl: string;
  /** Task types to work on. Default: all of them. */
  readonly types?: readonly string[];
}

/** Lease in ms: a crash costs that much time. */
export const leaseMs = 1_000;

const roster = (url: string) =>
  parseRoster(
    `backends:
  local: { base_url: "${url}", model: model-of-local, tier: local, good_at: [all], can_orchestrate: true, concurrency: 1000 }
  other: { base_url: "${url}", model: model-of-other, tier: local, good_at: [all], can_orchestrate: true, concurrency: 1000 }
  # It has a price, and is asked about pictures alone.
  eyes: { base_url: "${url}", model: model-of-eyes, tier: local, vision: true, cost: { input: 0, output: 1 }, concurrency: 1000 }
agents:
  viewer: { prompt: You look at pictures., tools: [look_at], needs: [all], limits: { steps: 40, cost_usd: 10 } }
supervision: { on_failure: ask, concurrency: 10000, max_tasks: 10000 }
tools: { gated: [pay] }
limits: { retries: 0, breaker_failures: 1000 }
`,
    '/roster.yaml',
  );

export function startWorkerNode(joined: CrewSession, { run, modelUrl, outsideUrl, types }: WorkerSettings): Promise<CoxNode> {
  const tool = (name: string, effects: Effects) =>
    defineTool({
      name,
      description: name,
      args: z.record(z.string(), z.unknown()),
      effects,
      run: async (args, { signal, idempotencyKey, store }) => {
        const [task = '', call = ''] = idempotencyKey.split(':');
        if (name === 'file') await store!({ name: 'filed.txt', type: 'text/plain', bytes: Buffer.from(idempotencyKey) });
        return { text: await callOutside(outsideUrl, { run, task, call, tool: name, args }, signal) };
      },
    });
  const clerk = {
    name: 'clerk',
    prompt: 'You keep the books.',
    tools: [tool('look', 'none'), tool('file', 'idempotent'), tool('book', 'writes')],
    needs: [],
    limits: { steps: 40, failures: 3, repeats: 9, costUsd: null },
  } satisfies Kind;
  const porter = {
    ...clerk,
    name: 'porter',
    think: ({ instruction, messages }) =>
      messages.some(({ role }) => role === 'tool')
        ? 'carried'
        : { text: '', calls: [{ tool: 'book', args: { what: instruction } }] },
  } satisfies Kind;
  /** A kind whose call stays open outside until the test tells how it ends. */
  const hand = {
    ...clerk,
    name: 'hand',
    tools: [tool('hold', 'none')],
    limits: { ...clerk.limits, failures: 1 },
    think: ({ messages }) => {
      const told = messages.findLast(({ role }) => role === 'tool')?.text;
      if (told === 'failed') throw new Error('told to fail');
      return told === 'completed' ? 'done' : { text: '', calls: [{ tool: 'hold', args: {} }] };
    },
  } satisfies Kind;
  const { steps, failures, repeats, costUsd } = input.limits;
  const agent = {
    name: 'agent',
    prompt: 'You do it.',
    tools: [
      tool('read', 'none'),
      tool('dear', 'none'),
      tool('put', 'idempotent'),
      tool('write', 'writes'),
      tool('pay', 'writes'),
      defineTool({ ...tool('send', 'writes'), decides: true, preview: async () => ({ text: 'all', base: 'b', ask: false }) }),
    ],
    needs: [],
    limits: { steps, failures, repeats, costUsd },
  } satisfies Kind;
  const current = roster(modelUrl);
  return startNode({
    joined,
    roster: { current: () => current },
    workspace: process.cwd(),
    onProgress: () => {},
    leaseMs,
    quietMs: 20,
    slots: 64,
    // Sub-tasks of a lost worker confirm their stop only after the lease.
    drainMs: 60_000,
    kinds: [clerk, { ...clerk, name: 'junior', limits: { ...clerk.limits, steps: 2 } }, porter, hand, agent],
    ...(types && { types }),
  });
}
