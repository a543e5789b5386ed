/** The reply to the verb `roster`: the backends with their knobs, and the rules, as the node that answers uses them. No keys. */
import { z } from 'zod';

const usd = z.number().nonnegative().nullable();
const count = z.number().int();

export const RosterBackend = z.object({
  name: z.string(),
  kind: z.string(),
  tier: z.string(),
  model: z.string().nullable(),
  optIn: z.boolean().describe('Whether its entry says `opt_in: true`; a backend of the tier local needs none.'),
  on: z.boolean().describe('Whether it may be called: it is local, or `optIn`.'),
  goodAt: z.array(z.string()),
  canOrchestrate: z.boolean(),
  canDelegate: z.boolean().describe('Whether it may get sub-tasks.'),
  vision: z.boolean(),
  cost: z
    .object({ input: z.number(), output: z.number() })
    .nullable()
    .describe('US dollars per million tokens; null: not known.'),
  context: count.nullable().describe('Tokens; null: not known.'),
  concurrency: count.describe('Most calls at once.'),
  inUse: count.describe('Calls of this node under way.'),
  inLine: count.describe('Calls of this node that wait.'),
  available: z.boolean(),
  why: z.string().nullable().describe('Why it is not available.'),
  learnt: z.array(z.string()).describe('What differs from the full protocol, learnt from its refusals.'),
});

export const RosterReport = z.object({
  node: z.string().describe('The node that answers.'),
  host: z.string(),
  file: z.string().nullable().describe('The roster file on that host; null: the shipped roster, or one that code has given.'),
  hash: z.string().nullable().describe('SHA-256 of the file as it is now.'),
  backends: z.array(RosterBackend),
  budgets: z.object({ goalUsd: usd, taskUsd: usd }),
  supervision: z.object({ concurrency: count, maxTasks: count, maxDepth: count, onFailure: z.string() }),
  routing: z.object({ tiers: z.array(z.string()), rotate: z.boolean() }),
  reducer: z.string(),
  coordinator: z.string(),
});
export type RosterReport = z.infer<typeof RosterReport>;
