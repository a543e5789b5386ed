/** What a call that needs approval would do, for the operator. A call that would be refused anyway is not asked about. */
import type { PreviewInput, SubAgentEvent } from '../../machines/sub-agent.ts';
import { messageOf } from '../../platform/errors.ts';
import { effect } from '../host/effect.ts';
import type { EffectHost } from '../host/role.ts';
import { checkArgs, type Kind } from '../kinds/kind.ts';
import { contextOf } from './tool-context.ts';

export const preview = (host: EffectHost, { kind, workspace }: { readonly kind: Kind; readonly workspace: string }) =>
  effect<PreviewInput, SubAgentEvent>(
    async ({ call }, say, signal) => {
      const tool = kind.tools.find(({ name }) => name === call.tool);
      const checked = tool && checkArgs(tool, call.args);
      // `act` tells the model what is wrong with a call that does not fit its tool.
      if (!tool?.preview || !checked?.ok) return say({ type: 'PREVIEWED', call: call.id, preview: null });
      // The whole text is not kept: it would go into every commit of the task.
      const { whole: _, ...shown } = await tool.preview(checked.args, contextOf(host, workspace, call, signal));
      say({ type: 'PREVIEWED', call: call.id, preview: shown });
    },
    (cause, { call }) => ({ type: 'TOOL_RETURNED', call: call.id, text: messageOf(cause), failed: true }),
  );
