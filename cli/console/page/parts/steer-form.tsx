/** Corrects a task in words, and pauses, resumes or cancels it. */
import { useId, useState } from 'preact/hooks';
import type { SteeringInput } from '../../../../bus/messages.ts';
import { steer } from '../orders.ts';
import { mayWrite } from '../session.ts';

export function SteerForm({ task, paused, isGoal }: { task: string; paused: boolean; isGoal: boolean }) {
  const [words, setWords] = useState('');
  const [busy, setBusy] = useState(false);
  const [sure, setSure] = useState(false);
  const field = useId();
  const off = busy || !mayWrite.value;
  const send = async (message: SteeringInput): Promise<boolean> => {
    setBusy(true);
    const reply = await steer(task, message);
    setBusy(false);
    return reply !== null;
  };
  const correct = async (event: Event) => {
    event.preventDefault();
    if (words.trim() !== '' && (await send({ type: 'steer', text: words.trim() }))) setWords('');
  };
  return (
    <form class="row steer" onSubmit={correct}>
      <label for={field} class="sr">
        Correct {task} in words
      </label>
      <input
        id={field}
        value={words}
        onInput={({ currentTarget }) => setWords(currentTarget.value)}
        placeholder={isGoal ? 'Correct the goal …' : 'Correct this task …'}
        maxLength={32_768}
        autoComplete="off"
      />
      <button type="submit" class="primary" disabled={off || words.trim() === ''}>
        Steer
      </button>
      <button type="button" disabled={off} onClick={() => void send({ type: paused ? 'resume' : 'pause' })}>
        {paused ? 'Resume' : 'Pause'}
      </button>
      {sure ? (
        <>
          <button
            type="button"
            class="danger"
            disabled={off}
            onClick={() => void send({ type: 'cancel' }).then(() => setSure(false))}
          >
            Cancel {task} for good
          </button>
          <button type="button" onClick={() => setSure(false)}>
            Keep it
          </button>
        </>
      ) : (
        <button type="button" disabled={off} onClick={() => setSure(true)}>
          Cancel …
        </button>
      )}
    </form>
  );
}
