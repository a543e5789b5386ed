/** Says whether this page may write, and for how long; unlocks and locks it. */
import { useState } from 'preact/hooks';
import { say } from '../say.ts';
import { lockSession, login, mayWrite, unlockedMs, unlockSession } from '../session.ts';

export function Lock() {
  const [busy, setBusy] = useState(false);
  const change = (unlock: boolean) => async () => {
    setBusy(true);
    await (unlock ? unlockSession() : lockSession());
    setBusy(false);
    say(unlock ? 'Unlocked: this page may send orders now.' : 'Locked: this page only reads.');
  };
  const minutes = login.value.kind === 'in' ? Math.round(login.value.about.unlockMs / 60_000) : 0;
  if (!mayWrite.value)
    return (
      <button type="button" class="lock" disabled={busy} onClick={change(true)} title={`Allows orders for ${minutes} minutes`}>
        <Padlock isOpen={false} /> Read only · unlock
      </button>
    );
  return (
    <button type="button" class="lock open" disabled={busy} onClick={change(false)} title="Forbids orders at once">
      <Padlock isOpen /> Unlocked <span class="num">{clock(unlockedMs.value)}</span> · lock
    </button>
  );
}

const Padlock = ({ isOpen }: { isOpen: boolean }) => (
  <svg class="padlock" viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
    <rect x="3" y="7" width="10" height="7" rx="1.5" fill="currentColor" />
    <path
      d={isOpen ? 'M5.5 7V4.5a2.5 2.5 0 0 1 4.8-1' : 'M5.5 7V4.5a2.5 2.5 0 0 1 5 0V7'}
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
    />
  </svg>
);

const clock = (ms: number): string => {
  const seconds = Math.ceil(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
};

/** Beside a form that needs an unlocked page. */
export const NeedsUnlock = () =>
  mayWrite.value ? null : (
    <p class="hint">
      This page only reads.{' '}
      <button type="button" class="link" onClick={() => void unlockSession()}>
        Unlock it
      </button>{' '}
      to send orders.
    </p>
  );
