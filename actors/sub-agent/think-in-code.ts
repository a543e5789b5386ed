/**
 * A step of thinking done by the code of a kind: rules, a parser, another service. No backend is called and no money is spent.
 */
import { noUsage } from '../../machines/conversation.ts';
import type { SubAgentEvent, ThinkInput } from '../../machines/sub-agent.ts';
import { effect } from '../host/effect.ts';
import { failureOf } from '../host/failure-of.ts';
import type { EffectHost } from '../host/role.ts';
import { heardFrom, ThoughtReply } from '../kinds/code-of-others.ts';
import type { Kind, ThinkInCode } from '../kinds/kind.ts';
import type { Tool } from '../tools/tool.ts';
import { asToolCalls } from './think.ts';

/** The name that usage is counted under. */
const backend = 'code';

/** Starts without a commit: the step may run again after a crash, as a model call may, and it has no cost to reserve. */
export const thinkInCode = (host: EffectHost, options: { kind: Kind; isGated: (tool: Tool) => boolean; run: ThinkInCode }) =>
  effect<ThinkInput, SubAgentEvent>(
    async ({ instruction, messages, step }, say, signal) => {
      const thought = structuredClone({ instruction, messages, step, context: host.spec.context });
      const said = await heardFrom(`think of ${options.kind.name}`, ThoughtReply, () => options.run(thought, signal));
      const { text, calls = [] } = typeof said === 'string' ? { text: said } : said;
      say({ type: 'MODEL_REPLIED', text, calls: await asToolCalls(calls, step, options), usage: noUsage, backend });
    },
    (cause) => ({ type: 'MODEL_FAILED', error: failureOf(cause) }),
  );
