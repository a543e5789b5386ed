/**
 * The context that a tool gets for one call of a sub-agent.
 * Q. A call that was allowed on the sight of a preview is told the fingerprint of its target as it was shown.
 */
import type { ToolCall } from '../../machines/conversation.ts';
import type { EffectHost } from '../host/role.ts';
import type { ToolContext } from '../tools/tool.ts';

export const contextOf = (
  host: EffectHost,
  workspace: string,
  { id, preview, gated }: ToolCall,
  signal: AbortSignal,
): ToolContext => ({
  task: host.id,
  workspace,
  signal,
  idempotencyKey: `${host.id}:${id}`,
  // Only what the operator has allowed on the sight of a preview is held to that sight.
  ...(preview && gated === false && { base: preview.base }),
});
