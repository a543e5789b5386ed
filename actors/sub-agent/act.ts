/**
 * One tool call of a sub-agent (B: a call with effects starts only when the commit that names it is durable).
 * Rules `write-ahead` and `idempotency-key` (docs/task-protocol.md).
 */
import type { Artifacts } from '../../bus/artifacts/artifacts.ts';
import { argsShown, type Picture, type ToolCall } from '../../machines/conversation.ts';
import type { ActInput, SubAgentEvent } from '../../machines/sub-agent.ts';
import { crashPoint } from '../../platform/crash-point.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Backends } from '../../roster/backends.ts';
import { effect } from '../host/effect.ts';
import type { EndedCall } from '../host/in-flight-calls.ts';
import type { EffectHost } from '../host/role.ts';
import { heardFrom, RunOutput } from '../kinds/code-of-others.ts';
import { checkArgs, type Kind } from '../kinds/kind.ts';
import { InDoubt, isDenied, Outdated, type ToolOutput } from '../tools/tool.ts';
import { lookAtName } from '../tools/vision/look-at.ts';
import { asking } from './asking.ts';
import { keeping, notKept } from './keeping.ts';
import { lookAt } from './look.ts';
import { type MakingLimits, making } from './making.ts';
import { noteOperatorsPart } from './operators-part.ts';
import type { Pictures } from './pictures.ts';
import { shownPictures } from './shown-pictures.ts';
import { contextOf } from './tool-context.ts';

interface ActOptions {
  readonly kind: Kind;
  readonly workspace: string;
  readonly backends: Backends;
  /** Keeps what calls replace and make. */
  readonly artifacts: Artifacts;
  readonly making: MakingLimits;
  readonly pictures: Pictures;
}

export const act = (host: EffectHost, { kind, workspace, backends, artifacts, making: limits, pictures }: ActOptions) =>
  effect<ActInput, SubAgentEvent>(
    async ({ call, step, backend: named = null, leftUsd = 0 }, say, signal) => {
      const failed = (text: string): SubAgentEvent => ({ type: 'TOOL_RETURNED', call: call.id, text, failed: true });
      const tool = kind.tools.find(({ name }) => name === call.tool);
      if (!tool) return say(failed(`there is no tool ${call.tool}; there are ${kind.tools.map(({ name }) => name).join(', ')}`));
      const checked = await checkArgs(tool, call.args);
      if (!checked.ok) return say(failed(`these arguments don't fit ${tool.name}: ${checked.problem}`));
      const writes = call.effects === 'writes';
      const stored: string[] = [];
      const ends = (
        { text, changes = [], artifacts = [], sources = [] }: ToolOutput,
        hasFailed: boolean,
        { images = [], denied = false }: { images?: readonly Picture[]; denied?: boolean } = {},
      ) => {
        const how: EndedCall = { text, failed: hasFailed, artifacts: [...artifacts, ...stored], changes };
        host.addArtifacts(how.artifacts);
        if (writes) host.callEnded(call.id, how);
        say({
          ...{ type: 'TOOL_RETURNED', call: call.id, text, changes, sources },
          ...(images.length > 0 && { images }),
          ...(hasFailed && { failed: true }),
          ...(denied && { denied }),
        });
      };
      const problem = await begins(host, call, signal);
      if (problem !== null) return ends({ text: `not run: ${problem}` }, true);
      // A writing call cannot be undone. Even if another worker has the task by now, the call runs to its end and its outcome is
      // posted.
      const stop = new AbortController();
      signal.addEventListener('abort', () => {
        if (!writes || !host.isLost()) stop.abort(signal.reason);
      });
      host.live({ type: 'tool', step, tool: tool.name, text: argsShown({ ...call, args: checked.args }) });
      const of = { task: host.id, call: call.id };
      const context = {
        ...contextOf(host, { workspace, backends }, call, stop.signal),
        // No tool of others. A request may be left when money runs out, so the call must be one that is simply made again.
        ...(tool.name === lookAtName &&
          call.effects === 'none' &&
          asking(host, { backends, pictures, named, leftUsd }, say, signal)),
        keep: keeping(artifacts, of, stop.signal),
        ...making({
          artifacts,
          limits,
          of: { ...of, step },
          signal: stop.signal,
          place: (n) => `made-${n}`,
          // A call that only reads starts before the commit that names it. What it stores must not be found by another call that
          // is made in its place after a crash.
          begun: async () => {
            if (call.effects === 'none') await host.committed(stop.signal);
          },
          onStored: ({ ref }) => {
            stored.push(ref);
            // A stop of the task must not lose it.
            host.addArtifacts([ref]);
          },
        }),
      };
      try {
        crashPoint('tool:before');
        const output = await heardFrom(tool.name, RunOutput, () => tool.run(structuredClone(checked.args), context));
        crashPoint('tool:after');
        for (const target of notKept(output.changes))
          host.note(`${tool.name} ${target} cannot be undone: nothing was kept of it`);
        host.live({ type: 'tool', step, tool: tool.name, text: output.text });
        const { pictures: shown, problems } = await shownPictures(output.images ?? [], context.artifact);
        ends({ ...output, text: [output.text, ...problems].join('\n') }, false, { images: shown });
      } catch (cause) {
        if (cause instanceof InDoubt && writes) {
          host.note(messageOf(cause));
          const seen = await lookAt(host, { kind, workspace, backends, artifacts, making: limits }, call, step);
          return say({ type: 'CALL_DOUBTED', call: call.id, ...(seen !== null && { seen }) });
        }
        noteOperatorsPart(host, tool.name, cause);
        // Where nobody was asked, asking again would be the same call again, for ever.
        if (!(cause instanceof Outdated) || context.base === undefined || call.mayPass)
          return ends({ text: messageOf(cause) }, true, { denied: isDenied(cause) });
        if (writes) host.callDidNotBegin(call.id, `not run: ${cause.message}`);
        say({ type: 'CALL_OUTDATED', call: call.id });
      }
    },
    (cause, { call }) => ({ type: 'TOOL_RETURNED', call: call.id, text: messageOf(cause), failed: true }),
  );

/**
 * Waits until a call with effects may start: the commit that names it is durable, and this worker still holds the task.
 * @returns why it must not run; null if it may.
 * @throws if the commit failed or the task has left the state of the call.
 */
async function begins(host: EffectHost, { id: call, effects }: ToolCall, signal: AbortSignal): Promise<string | null> {
  const writes = effects === 'writes';
  if (writes) host.callBegins(call);
  if (effects === 'none') return null;
  try {
    await host.committed(signal);
  } catch (cause) {
    if (writes) host.callDidNotBegin(call, `not run: ${messageOf(cause)}`);
    throw cause;
  }
  try {
    await host.stillHolds();
    signal.throwIfAborted();
    return null;
  } catch (cause) {
    return messageOf(cause);
  }
}
