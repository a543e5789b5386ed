/** The talk with the primary agent: the one that the prompt in a terminal shows, with the lines of all clients as they come. */
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { NodeReport, TalkLine } from '../../../../bus/messages.ts';
import { useAsked, useVerb } from '../asked.ts';
import { sayLine } from '../http.ts';
import { askAll, listen } from '../link.ts';
import { Ago } from '../parts/figures.tsx';
import { NeedsUnlock } from '../parts/lock.tsx';
import { Line, Prose } from '../parts/text.tsx';
import { mayWrite } from '../session.ts';
import { problemOf, said } from '../talk/say-text.ts';
import { NodeNotice } from '../task/node-notice.tsx';
import { line } from '../text.ts';

interface TalkReply {
  readonly lines: readonly TalkLine[];
  readonly more: number;
}
/** Lines in the document at once. */
const mostShown = 100;
const lookMs = 5_000;

export function TalkPage() {
  const asked = useVerb<TalkReply>('talk', { last: mostShown });
  const news = useSignal<ReadonlyMap<string, TalkLine>>(new Map());
  useEffect(
    () =>
      listen('talk.*.line', (message) => {
        const heard = message as TalkLine;
        if (typeof heard?.id !== 'string' || typeof heard.text !== 'string' || !Array.isArray(heard.replies)) return;
        news.value = new Map([...news.value, [heard.id, heard] as const].slice(-mostShown));
      }),
    [news],
  );
  const lines = useComputed(() => {
    const old = asked.data.value?.lines ?? [];
    const known = new Map(old.map((each) => [each.id, each]));
    // The order of two clocks is that of their words, as in the prompt.
    for (const [id, each] of news.value) known.set(id, each);
    return [...known.values()].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)).slice(-mostShown);
  });
  const end = useRef<HTMLDivElement>(null);
  const count = lines.value.length;
  useEffect(() => end.current?.scrollIntoView({ block: 'nearest' }), [count]);
  return (
    <>
      <h1>Talk</h1>
      <NodeNotice of={asked} what="tell the talk" />
      {(asked.data.value?.more ?? 0) > 0 && <p class="meta">{asked.data.value!.more} earlier lines are not shown.</p>}
      {asked.data.value && count === 0 && <p class="notice">Nothing was said yet.</p>}
      <ol class="talk" aria-label="The talk, oldest first" aria-live="polite">
        {lines.value.map((each) => (
          <TalkItem key={each.id} of={each} />
        ))}
      </ol>
      <div ref={end} />
      <SayForm />
    </>
  );
}

const words: Readonly<Record<TalkLine['state'], { sign: string; word: string; tone: string }>> = {
  waiting: { sign: '⋯', word: 'waits', tone: 'quiet' },
  held: { sign: '◐', word: 'is being answered', tone: 'busy' },
  acting: { sign: '▶', word: 'is being done', tone: 'busy' },
  answered: { sign: '✓', word: 'answered', tone: 'good' },
  interrupted: { sign: '‖', word: 'interrupted', tone: 'asks' },
  failed: { sign: '✕', word: 'failed', tone: 'bad' },
};
const speakers = { model: 'primary', code: 'coxswain', done: 'done' } as const;

function TalkItem({ of: { text, by, at, state, replies } }: { of: TalkLine }) {
  const { sign, word, tone } = words[state] ?? words.waiting;
  return (
    <li class="card talk-line">
      <p class="meta">
        You, at <Line text={by} most={64} /> · <Ago at={at} /> ago ·{' '}
        <span class={`state ${tone}`}>
          <span aria-hidden="true">{sign}</span> {word}
        </span>
      </p>
      <div class="said">
        <Prose text={text} />
      </div>
      {replies.map((reply, i) => (
        <div key={i} class={`talk-reply ${line(reply.by, 10)}`}>
          <span class="meta">{speakers[reply.by] ?? line(reply.by, 20)}</span>
          <Prose text={reply.text} />
        </div>
      ))}
    </li>
  );
}

function SayForm() {
  const nodes = useAsked('talk nodes', () => askAll<NodeReport>('nodes'), { everyMs: lookMs });
  const hearing = (nodes.data.value ?? []).filter(({ hearsTalk }) => hearsTalk).sort((a, b) => (a.since < b.since ? 1 : -1));
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const field = useId();
  const [primary] = hearing;
  const send = async () => {
    if (text.trim() === '' || busy || !mayWrite.value) return;
    setBusy(true);
    try {
      await sayLine(text.trim());
      said();
      setText('');
    } catch (cause) {
      problemOf(cause);
    }
    setBusy(false);
  };
  if (nodes.data.value && !primary)
    return (
      <p class="notice" role="status">
        No primary agent is running, so nobody would answer. Start the prompt in a terminal: cox.
      </p>
    );
  return (
    <form
      class="card say"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <label for={field}>Say something{primary && ` to the primary at ${line(primary.name, 64)}`}</label>
      <textarea
        id={field}
        rows={2}
        value={text}
        maxLength={65_536}
        placeholder="Enter sends, Shift-Enter makes a new line …"
        onInput={({ currentTarget }) => setText(currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          void send();
        }}
      />
      <div class="row">
        <button type="submit" class="primary" disabled={busy || !mayWrite.value || !primary || text.trim() === ''}>
          Say
        </button>
        <NeedsUnlock />
      </div>
    </form>
  );
}
