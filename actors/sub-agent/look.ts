/**
 * Looks how things are now, for the operator who is asked whether a call ran that was lost in the middle (rule `in-doubt`,
 * docs/task-protocol.md). It becomes a note of the status that asks. The question comes in any case: a look that fails or takes
 * too long is told in its place.
 */
import { z } from 'zod';
import type { ToolCall } from '../../machines/conversation.ts';
import { messageOf } from '../../platform/errors.ts';
import { unlessAborted, withTimeLimit } from '../../platform/time-limit.ts';
import type { EffectHost } from '../host/role.ts';
import { heardFrom } from '../kinds/code-of-others.ts';
import { checkArgs } from '../kinds/kind.ts';
import { type LookOptions, lookingContext } from './looking.ts';

const lookMs = 20_000;

/** Does nothing for a tool without `look`. Never rejects. */
export async function lookAt(host: EffectHost, options: LookOptions, call: ToolCall, step: number): Promise<void> {
  const tool = options.kind.tools.find(({ name }) => name === call.tool);
  if (!tool?.look) return;
  try {
    const checked = await checkArgs(tool, call.args);
    if (!checked.ok) return;
    const seen = withTimeLimit(lookMs, (signal) => {
      const context = lookingContext(host, options, call, step, signal);
      const look = heardFrom(`look of ${tool.name}`, z.string(), () => tool.look?.(structuredClone(checked.args), context));
      return unlessAborted(look, signal);
    });
    host.note(await seen);
  } catch (cause) {
    host.note(`it cannot be seen how things are now: ${messageOf(cause)}`);
  }
}
