/**
 * A step of thinking done by the code of a kind: rules, a parser, another service. No backend is called and no money is spent.
 */
import { noUsage } from '../../machines/conversation.ts';
import type { SubAgentEvent, ThinkInput } from '../../machines/sub-agent.ts';
import { effect } from '../host/effect.ts';
import { failureOf } from '../host/failure-of.ts';
import type { EffectHost } from '../host/role.ts';
import { heardFrom, ThoughtReply } from '../kinds/code-of-others.ts';
import type { ThinkInCode } from '../kinds/kind.ts';
import { asToolCalls, type ThinkOptions } from './think.ts';

/** The name that usage is counted under. */
const backend = 'code';

/** Starts without a commit: the step may run again after a crash, as a model call may, and it has no cost to reserve. */
export const thinkInCode = (
  host: EffectHost,
  options: Pick<ThinkOptions, 'kind' | 'isGated' | 'shortened'> & { readonly run: ThinkInCode },
) =>
  effect<ThinkInput, SubAgentEvent>(
    async ({ instruction, messages, step }, say, signal) => {
      const thought = structuredClone({ instruction, messages, step, context: host.spec.context });
      const said = await heardFrom(`think of ${options.kind.name}`, ThoughtReply, () => options.run(thought, signal));
      const { text, calls = [] } = typeof said === 'string' ? { text: said } : said;
      const kept = await options.shortened(text, signal);
      say({ type: 'MODEL_REPLIED', text: kept, calls: await asToolCalls(calls, step, options), usage: noUsage, backend });
    },
    (cause) => ({ type: 'MODEL_FAILED', error: failureOf(cause) }),
  );
