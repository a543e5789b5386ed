/** The frame of all pages: who and where, the pages, the lock, what waits, and what was said. */
import type { ComponentType } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { fresh, link } from './link.ts';
import { CrewPage } from './pages/crew.tsx';
import { GoalPage } from './pages/goal.tsx';
import { InboxCount, InboxPage } from './pages/inbox.tsx';
import { RosterPage } from './pages/roster.tsx';
import { TalkPage } from './pages/talk.tsx';
import { TaskPage } from './pages/task.tsx';
import { Lock } from './parts/lock.tsx';
import { type PageName, route, to } from './route.ts';
import { sayings } from './say.ts';
import { login } from './session.ts';
import { line } from './text.ts';

interface PageProps {
  readonly of: string | null;
}

/** The pages; those without a word have no entry in the navigation. */
const pages: Readonly<Record<PageName, { readonly word: string | null; readonly Page: ComponentType<PageProps> }>> = {
  goal: { word: 'Goals', Page: GoalPage },
  inbox: { word: 'Inbox', Page: InboxPage },
  talk: { word: 'Talk', Page: TalkPage },
  crew: { word: 'Crew', Page: CrewPage },
  roster: { word: 'Roster', Page: RosterPage },
  task: { word: null, Page: TaskPage },
};

export function Shell() {
  const { page, of } = route.value;
  const { Page, word } = pages[page];
  const main = useRef<HTMLElement>(null);
  const isFirst = useRef(true);
  // A screen reader is taken to the page whenever the address names another.
  useEffect(() => {
    document.title = `${word ?? 'Task'}${of ? ` ${line(of, 40)}` : ''} · Coxswain`;
    if (!isFirst.current) main.current?.focus();
    isFirst.current = false;
  }, [page, of]);
  const state = login.value;
  if (state.kind === 'opening') return <p class="notice">Opening …</p>;
  if (state.kind === 'out') return <Outside message={state.message} hint={state.hint} />;
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the page
      </button>
      <header class="top">
        <strong class="brand">
          <img src="/icon.svg" alt="" width="20" height="20" /> Coxswain
        </strong>
        <nav aria-label="Pages">
          {Object.entries(pages).map(
            ([name, { word }]) =>
              word && (
                <a key={name} href={to(name as PageName)} aria-current={name === page ? 'page' : undefined}>
                  {word}
                  {name === 'inbox' && <InboxCount />}
                </a>
              ),
          )}
        </nav>
        <span class="where" title={state.about.server}>
          {line(state.about.namespace, 40)}
        </span>
        <Lock />
      </header>
      <LinkBanner />
      <main id="main" ref={main} tabIndex={-1}>
        <Page of={of} />
      </main>
      <Sayings />
    </>
  );
}

function LinkBanner() {
  const text = {
    connecting: 'Connecting to the bus …',
    connected: null,
    away: 'The connection to the bus is lost. What you see may be out of date; no work is lost. Reconnecting …',
    closed: 'The connection to the bus is lost. Reconnecting …',
  }[link.value];
  return (
    <div
      class={text && link.value !== 'connecting' ? 'banner bad' : 'banner'}
      role="status"
      data-fresh={fresh.value}
      hidden={!text}
    >
      {text}
    </div>
  );
}

const Sayings = () => (
  <div class="sayings" role="log" aria-live="polite" aria-label="What was done">
    {sayings.value.map(({ id, text, tone }) => (
      <p key={id} class={tone}>
        {tone === 'bad' ? '✕ ' : tone === 'good' ? '✓ ' : ''}
        <bdi>{line(text, 400)}</bdi>
      </p>
    ))}
  </div>
);

const Outside = ({ message, hint }: { message: string; hint: string }) => (
  <main id="main" class="outside">
    <h1>Coxswain</h1>
    <p role="alert">{line(message, 300)}.</p>
    <p>{line(hint, 300)}</p>
  </main>
);
