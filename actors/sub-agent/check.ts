/**
 * Whether a task has produced what it had to.
 * R. It looks at committed effects, at the files and at the answer, and asks no model.
 */
import { stat } from 'node:fs/promises';
import { z } from 'zod';
import type { Produced } from '../../bus/messages.ts';
import type { CheckInput, Missing, SubAgentEvent } from '../../machines/sub-agent.ts';
import { messageOf } from '../../platform/errors.ts';
import { effect } from '../host/effect.ts';
import type { EffectHost } from '../host/role.ts';
import type { Kind } from '../kinds/kind.ts';
import { resolveInside, shown } from '../tools/workspace.ts';

interface CheckOptions {
  readonly kind: Kind;
  readonly workspace: string;
}

export const check = (host: EffectHost, options: CheckOptions) =>
  effect<CheckInput, SubAgentEvent>(
    async (input, say) => {
      for (const produced of host.spec.produces ?? []) {
        const missing = 'file' in produced ? await fileMissing(produced.file, input, options) : jsonMissing(produced, input);
        if (missing) return say({ type: 'CHECKED', missing });
      }
      say({ type: 'CHECKED', missing: null });
    },
    (cause) => ({ type: 'CHECKED', missing: { what: `it could not be checked: ${messageOf(cause)}`, tool: null } }),
  );

/** The file must be there, and this task must have written it. */
async function fileMissing(path: string, { effects }: CheckInput, { kind, workspace }: CheckOptions): Promise<Missing | null> {
  const file = await resolveInside(workspace, path);
  const name = shown(workspace, file);
  const last = effects.findLast(({ target, outcome }) => target === name && outcome !== 'failed');
  const isThere = await stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
  if (isThere && last?.outcome === 'done' && last.kind !== 'deleted') return null;
  const tool = kind.tools.find((it) => it.effects !== 'none' && it.target)?.name ?? null;
  const how = tool ? ` Write it now with ${tool}.` : '';
  if (last?.outcome === 'denied') return { what: `${name} was not written: the operator denied it.`, tool: null };
  if (!isThere) return { what: `the file ${name} is not there.${how}`, tool };
  return { what: `the file ${name} is there, but this task has not written it.${how}`, tool };
}

function jsonMissing({ json }: Extract<Produced, { json: unknown }>, { answer }: CheckInput): Missing | null {
  const wrong = (why: string): Missing => ({ what: `the answer must be JSON, alone, that fits its schema: ${why}`, tool: null });
  let value: unknown;
  try {
    value = JSON.parse(answer ?? '');
  } catch (cause) {
    return wrong(messageOf(cause));
  }
  const parsed = z.fromJSONSchema(json as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value);
  return parsed.success ? null : wrong(z.prettifyError(parsed.error));
}
