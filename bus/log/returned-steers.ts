/**
 * The ids of steers that were returned before a chart saw them, as a state record keeps them (`known`): the last ones, so that no
 * flood makes the record long. A copy of a steer is recognised by them.
 * Rule `known-steers` (docs/task-protocol.md).
 */
import { isSequenceName } from './steering-log.ts';

const mostKnown = 1_000;

/**
 * The ids to keep after `more` steers were returned. No copy of a message can have the name of its sequence, so such names are
 * left out.
 */
export const remembered = (known: readonly string[], more: readonly { readonly steer: string }[] = []): string[] =>
  [...known, ...more.map(({ steer }) => steer)].filter((steer) => !isSequenceName(steer)).slice(-mostKnown);
