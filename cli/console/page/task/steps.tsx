/**
 * The conversation of a task, step by step. It follows the task with the words as they come, or is walked by keyboard: then it shows
 * one step, with the prompt that was sent.
 */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { JournalReply } from '../../../../bus/journal/journal-messages.ts';
import type { ArtifactRow, Status } from '../../../../bus/messages.ts';
import { useVerb } from '../asked.ts';
import { clean } from '../text.ts';
import { liveWords } from './live-words.ts';
import { NodeNotice } from './node-notice.tsx';
import { StepView } from './step.tsx';
import { Words } from './words.tsx';

/** Steps in one request and in the document at once. */
const pageSteps = 12;

export function Steps({
  task,
  status,
  onReply,
}: {
  task: string;
  status: Status | null;
  onReply: (reply: JournalReply) => void;
}) {
  const [at, setAt] = useState<number | null>(null);
  const [pages, setPages] = useState(1);
  const last = Math.max(1, status?.step ?? 1);
  const from = Math.max(1, last - pages * pageSteps + 1);
  const isWalking = at !== null;
  const request = isWalking ? { task, from: at, limit: 1 } : { task, from, limit: Math.min(100, pages * pageSteps) };
  const asked = useVerb<JournalReply>('journal', request, { subjects: [`tasks.${task}.status`, `tasks.${task}.result`] });
  const artifacts = useVerb<{ artifacts: ArtifactRow[] }>(
    'artifacts',
    { task, limit: 200 },
    { subjects: [`tasks.${task}.status`] },
  );
  const live = useMemo(() => liveWords(task), [task]);
  useEffect(() => live.stop, [live]);
  const reply = asked.data.value;
  useEffect(() => void (reply && onReply(reply)), [reply]);
  const steps = reply?.steps ?? [];
  const mine = (artifacts.data.value?.artifacts ?? []).filter((each) => each.task === task);
  const go = (to: number) => setAt(Math.max(1, Math.min(last, to)));
  const onKey = (event: KeyboardEvent) => {
    if ((event.target as HTMLElement).closest('input, textarea, select, [role=tree]')) return;
    const current = at ?? last;
    const targets: Record<string, () => void> = {
      ArrowLeft: () => go(current - 1),
      ArrowRight: () => go(current + 1),
      Home: () => go(1),
      End: () => go(last),
      Escape: () => setAt(null),
    };
    const move = targets[event.key];
    if (!move || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    move();
  };
  const words = live.words.value;
  const isUnderWay =
    !isWalking &&
    status?.outcome === null &&
    words !== null &&
    !steps.some(({ step, reply: said }) => step >= words.step && said);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without a place in the order of tabs nobody walks the steps by keyboard.
    <section aria-labelledby="steps" tabIndex={0} onKeyDown={onKey} class="steps">
      <div class="row tools">
        <h2 id="steps">Conversation</h2>
        <button type="button" onClick={() => go(1)} aria-label="First step">
          <span aria-hidden="true">«</span>
        </button>
        <button type="button" onClick={() => go((at ?? last) - 1)} aria-label="Step before">
          <span aria-hidden="true">◀</span>
        </button>
        <span class="num" role="status">
          {isWalking ? `Step ${at} of ${last}` : `${last} ${last === 1 ? 'step' : 'steps'}`}
        </span>
        <button type="button" disabled={!isWalking || at >= last} onClick={() => go((at ?? last) + 1)} aria-label="Step after">
          <span aria-hidden="true">▶</span>
        </button>
        <button type="button" aria-pressed={!isWalking} onClick={() => setAt(isWalking ? null : last)}>
          {isWalking ? 'Follow the task' : 'Following'}
        </button>
        <span class="meta hint-keys">← → walk the steps · Esc follows</span>
      </div>
      <NodeNotice of={asked} what="tell the steps of a task" />
      {!isWalking && from > 1 && (
        <button type="button" onClick={() => setPages(Math.min(8, pages + 1))} disabled={pages >= 8}>
          {pages >= 8 ? 'Walk to earlier steps with ←' : `Show ${Math.min(pageSteps, from - 1)} earlier steps`}
        </button>
      )}
      {steps.map((each) => (
        <StepView key={each.step} of={each} artifacts={mine} isWhole={isWalking} />
      ))}
      {isUnderWay && (
        <article class="step card live" aria-label="As it comes">
          {words.text !== '' && <Words text={words.text} />}
          {words.tool && (
            <pre class="prose meta">
              {clean(words.tool.name)}: {clean(words.tool.text)}
            </pre>
          )}
          <span class="cursor" aria-hidden="true">
            ▍
          </span>
        </article>
      )}
    </section>
  );
}
