/**
 * The context that a tool gets for one call of a sub-agent.
 * Q. A call that was allowed on the sight of a preview, by the operator or by its tool, is told the fingerprint of its target as it
 * was shown.
 */
import type { ToolCall } from '../../machines/conversation.ts';
import type { Backends } from '../../roster/backends.ts';
import type { EffectHost } from '../host/role.ts';
import type { ToolContext } from '../tools/tool.ts';

export const contextOf = (
  host: EffectHost,
  { workspace, backends }: { readonly workspace: string; readonly backends: Backends },
  { id, preview, gated, mayPass }: ToolCall,
  signal: AbortSignal,
): ToolContext => ({
  task: host.id,
  workspace,
  sees: backends.menu().some(({ name, vision }) => vision && name === host.backend()),
  signal,
  idempotencyKey: `${host.id}:${id}`,
  // Calls of a tool that the operator has allowed unseen are held to no sight.
  ...(preview && (gated === false || mayPass) && { base: preview.base }),
});
