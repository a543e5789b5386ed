/**
 * Looks what a call would do that needs approval, or about which its tool decides. A call that its tool would refuse fails without
 * a question.
 */
import { artifactName } from '../../bus/artifacts/artifact-name.ts';
import type { Artifacts } from '../../bus/artifacts/artifacts.ts';
import type { Preview } from '../../machines/conversation.ts';
import type { PreviewInput, SubAgentEvent } from '../../machines/sub-agent.ts';
import { messageOf } from '../../platform/errors.ts';
import { effect } from '../host/effect.ts';
import type { EffectHost } from '../host/role.ts';
import { heardFrom, Shown } from '../kinds/code-of-others.ts';
import { checkArgs } from '../kinds/kind.ts';
import { isDenied, type ToolPreview } from '../tools/tool.ts';
import { type LookOptions, lookingContext, previewPlace } from './looking.ts';
import { noteOperatorsPart } from './operators-part.ts';

interface PreviewOptions extends LookOptions {
  /** Names of tools that run unasked by the roster, unless they refuse a call. */
  readonly allowed: readonly string[];
}

export const preview = (host: EffectHost, options: PreviewOptions) =>
  effect<PreviewInput, SubAgentEvent>(
    async ({ call, step }, say, signal) => {
      const { kind, artifacts, allowed } = options;
      const tool = kind.tools.find(({ name }) => name === call.tool);
      const checked = tool && (await checkArgs(tool, call.args));
      // `act` tells the model what is wrong with a call that does not fit its tool.
      if (!tool?.preview || !checked?.ok) return say({ type: 'PREVIEWED', call: call.id, preview: null });
      const { preview: look } = tool;
      const place = { task: host.id, call: call.id };
      const context = lookingContext(host, options, call, step, signal);
      const made = await heardFrom(`preview of ${tool.name}`, Shown, () =>
        look.call(tool, structuredClone(checked.args), context),
      );
      const { ask = true, ...shown } = made;
      const shownWhole = await withWhole(shown, place, artifacts, signal);
      say({ type: 'PREVIEWED', call: call.id, preview: shownWhole, ask: ask && !allowed.includes(tool.name) });
    },
    (cause, { call }) => {
      noteOperatorsPart(host, call.tool, cause);
      const denied = isDenied(cause) && { denied: true as const };
      return { type: 'TOOL_RETURNED', call: call.id, text: messageOf(cause), failed: true, ...denied };
    },
  );

/** Keeps the whole of a preview that had to be cut as an artifact: a question and a checkpoint are no place for a long text. */
async function withWhole(
  { whole, ...shown }: Omit<ToolPreview, 'ask'>,
  of: { readonly task: string; readonly call: string },
  artifacts: Artifacts,
  signal: AbortSignal,
): Promise<Preview> {
  if (whole === undefined) return shown;
  const bytes = Buffer.from(whole);
  const place = { ...of, n: previewPlace(bytes) };
  await artifacts.keep(place, { bytes }, signal);
  const artifact = artifactName(place);
  return { ...shown, text: `${shown.text}\nAll of it: cox artifact ${artifact}`, artifact };
}
