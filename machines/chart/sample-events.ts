/**
 * Events of each type, as they could come to a task with this context: the right and the wrong call, each choice of the open
 * question, each urgency. With them one can tell which transitions are open without knowing what will really come.
 */
import type { AnyEventObject } from 'xstate';

interface Seen {
  readonly calls?: readonly { readonly id: string; readonly tool: string }[];
  readonly question?: { readonly id: string; readonly choices?: readonly string[] } | null;
  readonly nodes?: Readonly<Record<string, unknown>>;
}

const command = { id: 'sample', text: 'words', from: 'sample' };
/** Most sub-tasks of a plan that are tried for a change of it. */
const mostNodes = 50;

export function samplesOf(type: string, context: Seen): AnyEventObject[] {
  const [call] = context.calls ?? [];
  const calls = [call?.id ?? 'none', 'another'];
  const question = context.question?.id ?? 'none';
  const keys = [...Object.keys(context.nodes ?? {}).slice(0, mostNodes), 'unknown'];
  const samples: Readonly<Record<string, readonly object[]>> = {
    STEER: ['now', 'next-step', 'after'].map((urgency) => ({ ...command, urgency })),
    REDIRECT: [command],
    ANSWER: [...(context.question?.choices ?? []), 'stop', 'words', 'maybe?'].map((text) => ({ ...command, question, text })),
    SWAP: [true, false].map((now) => ({ ...command, backend: 'sample', now })),
    ALLOW: [call?.tool ?? 'sample', 'another'].map((tool) => ({ ...command, tool })),
    BUDGET: [{ steps: 1 }, { costUsd: 1 }].map((more) => ({ ...command, ...more })),
    ADD: [
      {
        ...command,
        task: { key: 'sample-of-a-new-one', type: 'sample', instruction: 'sample', needs: [], after: [], backend: null },
      },
    ],
    DROP: keys.map((key) => ({ ...command, key })),
    RERUN: keys.map((key) => ({ ...command, key })),
    CALL_PRICED: [0, Number.POSITIVE_INFINITY].flatMap((worstUsd) =>
      [true, false].map((first) => ({ worstUsd, first, backend: 'sample' })),
    ),
    TOOL_RETURNED: calls.map((id) => ({ call: id, text: '' })),
    PREVIEWED: calls.map((id) => ({ call: id, preview: null })),
    CALL_OUTDATED: calls.map((id) => ({ call: id })),
    CALL_DOUBTED: calls.map((id) => ({ call: id })),
    CHECKED: [null, { code: 'not-produced', what: 'sample', tool: null }].map((missing) => ({ missing })),
    CHILDREN_RETURNED: [{ returns: [] }],
    CHILDREN_WAIT: [{ children: [] }],
  };
  return (Object.hasOwn(samples, type) ? samples[type]! : [command]).map((sample) => ({ ...sample, type }));
}
