/** The charts of the house, each with its page in docs/diagrams. */
import type { AnyStateMachine } from 'xstate';
import { primary } from '../../machines/primary.ts';
import { subAgent } from '../../machines/sub-agent.ts';
import { supervisor } from '../../machines/supervisor.ts';
import { pageOf } from './diagram.ts';

const charts: Readonly<Record<string, AnyStateMachine>> = { 'sub-agent': subAgent, supervisor, primary };

/** File name in docs/diagrams → text. */
export const pages = (): Record<string, string> =>
  Object.fromEntries(Object.entries(charts).map(([name, machine]) => [`${name}.md`, pageOf(machine, `machines/${name}.ts`)]));
