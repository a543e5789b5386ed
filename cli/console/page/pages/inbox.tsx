/** All open questions and approvals of all goals, oldest first, answered from here. */

import { NeedsUnlock } from '../parts/lock.tsx';
import { QuestionCard } from '../parts/question.tsx';
import { inboxError, openCount, questions } from '../store-inbox.ts';
import { line } from '../text.ts';

/** Beside the word in the navigation. */
export const InboxCount = () =>
  openCount.value === 0 ? null : (
    <span class="badge">
      {openCount.value}
      <span class="sr"> open</span>
    </span>
  );

export function InboxPage() {
  const open = questions.value;
  return (
    <>
      <h1>Inbox</h1>
      {inboxError.value !== null && (
        <p class="notice bad" role="alert">
          The questions cannot be loaded: {line(inboxError.value, 200)}
        </p>
      )}
      <p class="hint" role="status">
        {open === null
          ? 'Loading …'
          : open.length === 0
            ? 'Nothing waits for you.'
            : `${open.length} ${open.length === 1 ? 'question waits' : 'questions wait'} for you, oldest first.`}
      </p>
      {open !== null && open.length > 0 && <NeedsUnlock />}
      <ol class="cards" aria-label="Open questions">
        {(open ?? []).map((each) => (
          <li key={`${each.id} ${each.question.id}`}>
            <QuestionCard of={each} />
          </li>
        ))}
      </ol>
    </>
  );
}
