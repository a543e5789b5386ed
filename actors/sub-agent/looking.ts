/**
 * The context of a tool that only looks at a call: before the operator is asked, and after the call was lost. It may store what it
 * sees, each time under the digest of it, so that nothing takes the place of what the call itself stores.
 */
import type { ArtifactPlace } from '../../bus/artifacts/artifact-name.ts';
import { type Artifacts, sha256Of } from '../../bus/artifacts/artifacts.ts';
import type { ToolCall } from '../../machines/conversation.ts';
import type { Backends } from '../../roster/backends.ts';
import type { EffectHost } from '../host/role.ts';
import type { Kind } from '../kinds/kind.ts';
import type { ToolContext } from '../tools/tool.ts';
import { type MakingLimits, making } from './making.ts';
import { contextOf } from './tool-context.ts';

export interface LookOptions {
  readonly kind: Kind;
  readonly workspace: string;
  readonly backends: Backends;
  readonly artifacts: Artifacts;
  readonly making: MakingLimits;
}

export const previewPlace = (bytes: Uint8Array): ArtifactPlace['n'] => `preview-${sha256Of(bytes).slice(0, 16)}`;

export const lookingContext = (
  host: EffectHost,
  { workspace, backends, artifacts, making: limits }: LookOptions,
  call: ToolCall,
  step: number | undefined,
  signal: AbortSignal,
): ToolContext => ({
  ...contextOf(host, { workspace, backends }, call, signal),
  ...making({
    ...{ artifacts, limits, of: { task: host.id, call: call.id, step }, signal },
    place: (_, { bytes }) => previewPlace(bytes),
    begun: async () => {},
    onStored: () => {},
  }),
});
