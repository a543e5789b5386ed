/** The contenders in the order of the table. Each is loaded only in its own process. */
import type { Start } from './contender.ts';

export const contenders: Readonly<Record<string, () => Promise<Start>>> = {
  floor: async () => (await import('./coxswain.ts')).floor,
  coxswain: async () => (await import('./coxswain.ts')).coxswain,
  'langgraph-memory': async () => (await import('./langgraph.ts')).langGraphInMemory,
  'langgraph-postgres': async () => (await import('./langgraph.ts')).langGraphOnPostgres,
  bullmq: async () => (await import('./bullmq.ts')).bullMq,
  restate: async () => (await import('./restate.ts')).restate,
  temporal: async () => (await import('./temporal.ts')).temporal,
};
