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
        <span aria-hidden="true">🔒</span> Read only · unlock
      </button>
    );
  return (
    <button type="button" class="lock open" disabled={busy} onClick={change(false)} title="Forbids orders at once">
      <span aria-hidden="true">🔓</span> Unlocked <span class="num">{clock(unlockedMs.value)}</span> · lock
    </button>
  );
}

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
