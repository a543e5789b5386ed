/** A backend with its health, load and price, and its knobs. */
import { useEffect, useId, useState } from 'preact/hooks';
import type { RosterReport } from '../../../../bus/roster-report.ts';
import { Line } from '../parts/text.tsx';
import { line } from '../text.ts';
import { change, knob, pending } from './edits.ts';

type Backend = RosterReport['backends'][number];

export function BackendCard({ of }: { of: Backend }) {
  const { name, tier, model, kind, on, available, why, cost, concurrency, inUse, inLine, goodAt, vision, learnt } = of;
  const heading = useId();
  return (
    <article class="card backend-card" aria-labelledby={heading}>
      <header>
        <h3 id={heading}>
          <Line text={name} most={64} />
        </h3>
        <span class={`state ${!on ? 'quiet' : available ? 'good' : 'bad'}`}>
          <span aria-hidden="true">{!on ? '○' : available ? '✓' : '✕'}</span>{' '}
          {!on ? 'off' : available ? 'available' : 'not available'}
        </span>
      </header>
      <p class="meta">
        <Line text={`${tier} · ${model ?? kind}${vision ? ' · sees pictures' : ''}`} most={160} />
        {why !== null && (
          <>
            <br />
            <Line text={why} most={240} />
          </>
        )}
      </p>
      <p class="facts">
        <span class="num">
          {inUse} of {concurrency} calls{inLine > 0 && `, ${inLine} in line`}
        </span>
        <span class="num">{priceOf(cost)}</span>
      </p>
      <meter
        class="load"
        min={0}
        max={Math.max(1, concurrency)}
        value={Math.min(inUse, concurrency)}
        aria-label={`Load of ${line(name, 64)}`}
      />
      {learnt.length > 0 && (
        <p class="meta">
          Learnt: <Line text={learnt.join('; ')} most={240} />
        </p>
      )}
      <fieldset class="knobs">
        <legend class="sr">Knobs of {line(name, 64)}</legend>
        <Switch
          path={knob(name, 'opt_in')}
          word={tier === 'local' ? 'on (a local one always is)' : 'on (opt_in)'}
          now={tier === 'local' || of.optIn}
          off={tier === 'local'}
        />
        <Switch path={knob(name, 'can_orchestrate')} word="may orchestrate" now={of.canOrchestrate} />
        <Switch path={knob(name, 'can_delegate')} word="gets sub-tasks" now={of.canDelegate} />
        <TextKnob path={knob(name, 'good_at')} word="good at" now={goodAt.join(', ')} asYaml={listYaml} />
        <NumberKnob path={knob(name, 'concurrency')} word="calls at once" now={concurrency} least={1} />
      </fieldset>
    </article>
  );
}

const priceOf = (cost: Backend['cost']): string =>
  cost === null
    ? 'price not known'
    : cost.input + cost.output === 0
      ? 'free'
      : `$${cost.input} in · $${cost.output} out per million tokens`;

/** A list of words as YAML on one line. */
const listYaml = (text: string): string =>
  JSON.stringify(
    text
      .split(',')
      .map((word) => word.trim())
      .filter(Boolean),
  );

interface SwitchProps {
  readonly path: string;
  readonly word: string;
  readonly now: boolean;
  readonly off?: boolean;
}

export function Switch({ path, word, now, off = false }: SwitchProps) {
  const field = useId();
  const waiting = pending.value.get(path);
  const value = waiting === undefined ? now : waiting === 'true';
  return (
    <div class={`knob ${waiting === undefined ? '' : 'changed'}`}>
      <input
        id={field}
        type="checkbox"
        checked={value}
        disabled={off}
        onChange={({ currentTarget: { checked } }) => change(path, String(checked), checked === now)}
      />
      <label for={field}>
        {word}
        <Changed is={waiting !== undefined} />
      </label>
    </div>
  );
}

const Changed = ({ is }: { is: boolean }) => (is ? <span class="meta"> · changed</span> : null);

interface TextProps {
  readonly path: string;
  readonly word: string;
  readonly now: string;
  readonly asYaml: (text: string) => string;
}

export function TextKnob({ path, word, now, asYaml }: TextProps) {
  const field = useId();
  /** As it was typed: a comma at the end says nothing yet, and stays all the same. */
  const [typed, setTyped] = useState<string | null>(null);
  const waiting = pending.value.get(path);
  useEffect(() => {
    if (waiting === undefined && document.activeElement?.id !== field) setTyped(null);
  }, [waiting, field]);
  return (
    <div class={`knob ${waiting === undefined ? '' : 'changed'}`}>
      <label for={field}>
        {word}
        <Changed is={waiting !== undefined} />
      </label>
      <input
        id={field}
        value={typed ?? now}
        maxLength={1_000}
        autoComplete="off"
        onInput={({ currentTarget: { value } }) => {
          setTyped(value);
          change(path, asYaml(value), asYaml(value) === asYaml(now));
        }}
        onBlur={() => waiting === undefined && setTyped(null)}
      />
    </div>
  );
}

interface NumberProps {
  readonly path: string;
  readonly word: string;
  /** null: no limit, shown as an empty field. */
  readonly now: number | null;
  readonly least: number;
  readonly step?: string;
}

export function NumberKnob({ path, word, now, least, step = '1' }: NumberProps) {
  const field = useId();
  const waiting = pending.value.get(path);
  const text = now === null ? '' : String(now);
  return (
    <div class={`knob ${waiting === undefined ? '' : 'changed'}`}>
      <label for={field}>
        {word}
        <Changed is={waiting !== undefined} />
      </label>
      <input
        id={field}
        type="number"
        min={least}
        step={step}
        value={waiting === undefined ? text : waiting === 'null' ? '' : waiting}
        placeholder={now === null ? 'no limit' : undefined}
        onInput={({ currentTarget: { value } }) => change(path, value === '' ? 'null' : value, value === text)}
      />
    </div>
  );
}
