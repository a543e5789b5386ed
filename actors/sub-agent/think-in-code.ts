/**
 * A step of thinking done by the code of a kind: rules, a parser, another service. No backend is called and no money is spent.
 */
import { noUsage } from '../../machines/conversation.ts';
import type { SubAgentEvent, ThinkInput } from '../../machines/sub-agent.ts';
import { effect } from '../host/effect.ts';
import { failureOf } from '../host/failure-of.ts';
import type { EffectHost } from '../host/role.ts';
import type { CodeReply, Kind, ThinkInCode } from '../kinds/kind.ts';
import type { Tool } from '../tools/tool.ts';
import { asToolCall } from './think.ts';

/** The name that usage is counted under. */
const backend = 'code';

/** Starts without a commit: the step may run again after a crash, as a model call may, and it has no cost to reserve. */
export const thinkInCode = (host: EffectHost, options: { kind: Kind; isGated: (tool: Tool) => boolean; run: ThinkInCode }) =>
  effect<ThinkInput, SubAgentEvent>(
    async ({ instruction, messages, step }, say, signal) => {
      const said = await options.run({ instruction, messages, step, context: host.spec.context }, signal);
      const { text, calls = [] }: CodeReply = typeof said === 'string' ? { text: said } : said;
      const asked = calls.map((call, index) => asToolCall(call, `s${step}-${index}`, options));
      say({ type: 'MODEL_REPLIED', text, calls: asked, usage: noUsage, backend });
    },
    (cause) => ({ type: 'MODEL_FAILED', error: failureOf(cause) }),
  );
