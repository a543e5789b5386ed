/** Orders of a task beside those of parts/steer-form.tsx: another instruction, another backend, more room. */
import { useId, useState } from 'preact/hooks';
import type { SteeringInput } from '../../../../bus/messages.ts';
import { useVerb } from '../asked.ts';
import { steer } from '../orders.ts';
import type { MenuReply } from '../replies.ts';
import { mayWrite } from '../session.ts';
import { line } from '../text.ts';

export function MoreOrders({ task, backend }: { task: string; backend: string | null }) {
  const [words, setWords] = useState('');
  const [other, setOther] = useState('');
  const [busy, setBusy] = useState(false);
  const menu = useVerb<MenuReply>('menu');
  const [redirecting, swapping] = [useId(), useId()];
  const off = busy || !mayWrite.value;
  const send = async (message: SteeringInput): Promise<boolean> => {
    setBusy(true);
    const reply = await steer(task, message);
    setBusy(false);
    return reply !== null;
  };
  return (
    <details class="more-orders">
      <summary>Redirect, swap the backend, give more room</summary>
      <form
        class="row steer"
        onSubmit={(event) => {
          event.preventDefault();
          if (words.trim() !== '') void send({ type: 'redirect', text: words.trim() }).then((sent) => sent && setWords(''));
        }}
      >
        <label for={redirecting} class="sr">
          Another instruction for {task}
        </label>
        <input
          id={redirecting}
          value={words}
          maxLength={32_768}
          autoComplete="off"
          placeholder="Another instruction, in place of the present one …"
          onInput={({ currentTarget }) => setWords(currentTarget.value)}
        />
        <button type="submit" disabled={off || words.trim() === ''}>
          Redirect
        </button>
      </form>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (other !== '') void send({ type: 'swap', backend: other });
        }}
      >
        <label for={swapping}>Backend</label>
        <select id={swapping} value={other} onChange={({ currentTarget }) => setOther(currentTarget.value)}>
          <option value="">{backend === null ? 'none yet' : `now ${line(backend, 40)}`}</option>
          {(menu.data.value?.backends ?? [])
            .filter(({ name }) => name !== backend)
            .map(({ name, available }) => (
              <option key={name} value={name} disabled={!available}>
                {line(name, 64)}
                {available ? '' : ' (not available)'}
              </option>
            ))}
        </select>
        <button type="submit" disabled={off || other === ''}>
          Swap
        </button>
        <button type="button" disabled={off} onClick={() => void send({ type: 'budget', steps: 10 })}>
          Give 10 steps
        </button>
      </form>
    </details>
  );
}
