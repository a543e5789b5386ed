/**
 * One tool call of a sub-agent (B: a call with effects starts only when the commit that names it is durable).
 * Rules `write-ahead` and `idempotency-key` (docs/task-protocol.md).
 */
import type { Artifacts } from '../../bus/artifacts/artifacts.ts';
import type { ActInput, SubAgentEvent } from '../../machines/sub-agent.ts';
import { crashPoint } from '../../platform/crash-point.ts';
import { messageOf } from '../../platform/errors.ts';
import { effect } from '../host/effect.ts';
import type { EffectHost } from '../host/role.ts';
import { checkArgs, type Kind } from '../kinds/kind.ts';
import { keeping, notKept } from './keeping.ts';

interface ActOptions {
  readonly kind: Kind;
  readonly workspace: string;
  /** Keeps what calls replace. */
  readonly artifacts: Artifacts;
}

export const act = (host: EffectHost, { kind, workspace, artifacts }: ActOptions) =>
  effect<ActInput, SubAgentEvent>(
    async ({ call, step }, say, signal) => {
      const returned = (text: string, failed?: true | undefined): SubAgentEvent => ({
        type: 'TOOL_RETURNED',
        call: call.id,
        text,
        ...(failed && { failed }),
      });
      const tool = kind.tools.find(({ name }) => name === call.tool);
      if (!tool)
        return say(returned(`there is no tool ${call.tool}; there are ${kind.tools.map(({ name }) => name).join(', ')}`, true));
      const checked = checkArgs(tool, call.args);
      if (!checked.ok) return say(returned(`these arguments don't fit ${tool.name}: ${checked.problem}`, true));
      const writes = tool.effects === 'writes';
      const ends = (text: string, failed: boolean, artifacts: readonly string[] = []) => {
        if (writes) host.callEnded(call.id, { text, failed, artifacts });
        say(returned(text, failed || undefined));
      };
      if (writes) host.callBegins(call.id);
      if (tool.effects !== 'none') {
        try {
          await host.committed(signal);
        } catch (cause) {
          if (writes) host.callDidNotBegin(call.id, `not run: ${messageOf(cause)}`);
          throw cause;
        }
        try {
          await host.stillHolds();
          signal.throwIfAborted();
        } catch (cause) {
          return ends(`not run: ${messageOf(cause)}`, true);
        }
      }
      // A writing call cannot be undone. Even if another worker has the task by now, the call runs to its end and its outcome is
      // posted.
      const stop = new AbortController();
      signal.addEventListener('abort', () => {
        if (!writes || !host.isLost()) stop.abort(signal.reason);
      });
      host.live({ type: 'tool', step, tool: tool.name, text: JSON.stringify(checked.args) });
      try {
        crashPoint('tool:before');
        const output = await tool.run(checked.args, {
          task: host.id,
          workspace,
          signal: stop.signal,
          idempotencyKey: `${host.id}:${call.id}`,
          keep: keeping(artifacts, { task: host.id, call: call.id }, stop.signal),
        });
        crashPoint('tool:after');
        if (output.artifacts) host.addArtifacts(output.artifacts);
        for (const target of notKept(output.changes))
          host.note(`${tool.name} ${target} cannot be undone: nothing was kept of it`);
        host.live({ type: 'tool', step, tool: tool.name, text: output.text });
        ends(output.text, false, output.artifacts);
      } catch (cause) {
        ends(messageOf(cause), true);
      }
    },
    (cause, { call }) => ({ type: 'TOOL_RETURNED', call: call.id, text: messageOf(cause), failed: true }),
  );
