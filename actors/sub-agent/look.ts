/**
 * Looks how things are now, for the operator who is asked whether a call ran that was lost in the middle (rule `in-doubt`,
 * docs/task-protocol.md). It becomes a note of the status that asks. The question comes in any case: a look that fails or takes
 * too long is told in its place.
 */
import { z } from 'zod';
import { type Artifacts, sha256Of } from '../../bus/artifacts/artifacts.ts';
import type { ToolCall } from '../../machines/conversation.ts';
import { messageOf } from '../../platform/errors.ts';
import { withTimeLimit } from '../../platform/time-limit.ts';
import type { Backends } from '../../roster/backends.ts';
import type { EffectHost } from '../host/role.ts';
import { heardFrom } from '../kinds/code-of-others.ts';
import { checkArgs, type Kind } from '../kinds/kind.ts';
import { type MakingLimits, making } from './making.ts';
import { contextOf } from './tool-context.ts';

export interface LookOptions {
  readonly kind: Kind;
  readonly workspace: string;
  readonly backends: Backends;
  readonly artifacts: Artifacts;
  readonly making: MakingLimits;
}

const lookMs = 20_000;

/** Does nothing for a tool without `look`. Never rejects. */
export async function lookAt(host: EffectHost, options: LookOptions, call: ToolCall, step: number): Promise<void> {
  const { kind, artifacts, making: limits } = options;
  const tool = kind.tools.find(({ name }) => name === call.tool);
  if (!tool?.look) return;
  try {
    const checked = await checkArgs(tool, call.args);
    if (!checked.ok) return;
    const seen = withTimeLimit(lookMs, (signal) => {
      const of = { task: host.id, call: call.id, step };
      const place = (_: number, { bytes }: { bytes: Uint8Array }) => `preview-${sha256Of(bytes).slice(0, 16)}` as const;
      const context = {
        ...contextOf(host, options, call, signal),
        ...making({ artifacts, limits, of, signal, place, begun: async () => {}, onStored: () => {} }),
      };
      const late = new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      const look = heardFrom(`look of ${tool.name}`, z.string(), () => tool.look?.(structuredClone(checked.args), context));
      return Promise.race([look, late]);
    });
    host.note(await seen);
  } catch (cause) {
    host.note(`it cannot be seen how things are now: ${messageOf(cause)}`);
  }
}
