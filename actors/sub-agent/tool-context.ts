/**
 * The context that a tool gets for one call of a sub-agent.
 * Q. A call that was allowed on the sight of a preview, by the operator or by its tool, is told the fingerprint of its target as it
 * was shown.
 */
import type { ToolCall } from '../../machines/conversation.ts';
import type { EffectHost } from '../host/role.ts';
import type { ToolContext } from '../tools/tool.ts';

export const contextOf = (
  host: EffectHost,
  workspace: string,
  { id, preview, gated, mayPass }: ToolCall,
  signal: AbortSignal,
): ToolContext => ({
  task: host.id,
  workspace,
  signal,
  idempotencyKey: `${host.id}:${id}`,
  // Calls of a tool that the operator has allowed unseen are held to no sight.
  ...(preview && (gated === false || mayPass) && { base: preview.base }),
});
