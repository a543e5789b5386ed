/**
 * Looks how things are now, for the operator who is asked whether a call ran that was lost in the middle (rule `in-doubt`,
 * docs/task-protocol.md). It becomes a note of the status that asks. The question comes in any case: a look that fails or takes
 * too long is told in its place.
 */
import { z } from 'zod';
import type { ToolCall } from '../../machines/conversation.ts';
import { fitted } from '../../platform/cut.ts';
import { messageOf } from '../../platform/errors.ts';
import { unlessAborted, withTimeLimit } from '../../platform/time-limit.ts';
import type { EffectHost } from '../host/role.ts';
import { heardFrom } from '../kinds/code-of-others.ts';
import { checkArgs } from '../kinds/kind.ts';
import { type LookOptions, lookingContext } from './looking.ts';

const lookMs = 20_000;
/** Longest sight, in characters: it stands in a question. */
const maxSeenChars = 1_000;

/** @returns what was seen; null for a tool without `look`, or where nothing could be seen. Never rejects. */
export async function lookAt(host: EffectHost, options: LookOptions, call: ToolCall, step: number): Promise<string | null> {
  const tool = options.kind.tools.find(({ name }) => name === call.tool);
  if (!tool?.look) return null;
  try {
    const checked = await checkArgs(tool, call.args);
    if (!checked.ok) return null;
    const seen = withTimeLimit(lookMs, (signal) => {
      const context = lookingContext(host, options, call, step, signal);
      const look = heardFrom(`look of ${tool.name}`, z.string(), () => tool.look?.(structuredClone(checked.args), context));
      return unlessAborted(look, signal);
    });
    const text = fitted(await seen, maxSeenChars);
    host.note(text);
    return text;
  } catch (cause) {
    host.note(`it cannot be seen how things are now: ${messageOf(cause)}`);
    return null;
  }
}
