/**
 * The page of the console. A page is a component in pages/ that gets `of`, the name in its address (`#/task/k3xq.4`), and:
 *
 * - reads by `useVerb('status', { task: of }, { subjects: [`tasks.${of}.status`] })`, whose `data.value` is the last reply. It is
 *   loaded again after a reconnection, and when one of the subjects (without the namespace) has a message. `<Notice of={asked} />`
 *   shows that it loads or why it failed. For what changes many times a second: `listen(subject, hear)` of link.ts in an effect,
 *   and `onFrame` of frame.ts, which gathers changes until the next frame.
 * - sends orders by `steer(task, message)` of orders.ts. It needs an unlocked session: disable controls by `!mayWrite.value`, and
 *   show `<NeedsUnlock />` beside them. What became of an order is said at the foot of the page, by `say`.
 * - shows text of others by `<Line text>` and `<Prose text>` alone (parts/text.tsx), never as markup, and never as an address.
 * - links by `href={to('task', id)}`. States, figures and ages: parts/state.tsx, parts/figures.tsx.
 *
 * Types of replies come from bus/messages.ts, by `import type` alone: a value import would bring zod into the page.
 */
import { render } from 'preact';
import { startLink } from './link.ts';
import { login, startSession } from './session.ts';
import { Shell } from './shell.tsx';
import { startInbox } from './store-inbox.ts';

render(<Shell />, document.getElementById('app')!);
await startSession();
if (login.value.kind === 'in') {
  startInbox();
  await startLink();
}
