/** The steering timeline: each message to the task, what became of it, and the step that took it. */
import { useEffect, useState } from 'preact/hooks';
import type { MachineReport } from '../../../../bus/inspect/machine-report.ts';
import type { Receipt, Status } from '../../../../bus/messages.ts';
import { useVerb } from '../asked.ts';
import { listen } from '../link.ts';
import { Line } from '../parts/text.tsx';
import { line } from '../text.ts';
import { NodeNotice } from './node-notice.tsx';

interface Entry {
  readonly id: string;
  readonly kind: string;
  readonly text: string;
  readonly urgency?: string;
  readonly fate: string;
  readonly step?: number;
  readonly reason?: string;
}

/** The ledger of steers in the context of the machine, as far as it can be read. */
function ledgerOf(report: MachineReport | null): Entry[] {
  const all = report?.live?.context.steers;
  if (!Array.isArray(all)) return [];
  return all.filter((each): each is Entry => typeof each?.id === 'string' && typeof each.fate === 'string');
}

const signs: Readonly<Record<string, string>> = { accepted: '→', queued: '⋯', applied: '✓', returned: '✕' };
const tones: Readonly<Record<string, string>> = { accepted: 'quiet', queued: 'asks', applied: 'good', returned: 'bad' };

export function Steering({ task }: { task: string }) {
  const asked = useVerb<MachineReport>('machine', { task }, { subjects: [`tasks.${task}.status`] });
  const [heard, setHeard] = useState<ReadonlyMap<string, readonly Receipt[]>>(new Map());
  useEffect(
    () =>
      listen(`tasks.${task}.status`, (message) => {
        const { receipts = [] } = message as Partial<Status>;
        if (receipts.length === 0) return;
        setHeard((before) => {
          const next = new Map(before);
          for (const each of receipts) next.set(each.steer, [...(next.get(each.steer) ?? []), each].slice(-8));
          return new Map([...next].slice(-200));
        });
      }),
    [task],
  );
  const ledger = ledgerOf(asked.data.value);
  const known = new Set(ledger.map(({ id }) => id));
  const others = [...heard].filter(([id]) => !known.has(id));
  const rows = ledger.length + others.length;
  return (
    <section aria-labelledby="steering">
      <h2 id="steering">Steering</h2>
      <NodeNotice of={asked} what="list the messages that a task was sent" />
      {asked.data.value && rows === 0 && <p class="notice">Nobody has steered this task.</p>}
      <ol class="timeline">
        {ledger.map((each) => (
          <li key={each.id}>
            <Message kind={each.kind} text={each.text} urgency={each.urgency} />
            <ol class="fates" aria-label="What became of it">
              {(heard.get(each.id) ?? [])
                .filter(({ fate }) => fate !== each.fate)
                .map(({ fate, step }, at) => (
                  <Fate key={at} fate={fate} step={step} />
                ))}
              <Fate fate={each.fate} step={each.step} reason={each.reason} />
            </ol>
          </li>
        ))}
        {others.map(([id, receipts]) => (
          <li key={id}>
            <Message kind={receipts[0]!.kind} text="" />
            <ol class="fates" aria-label="What became of it">
              {receipts.map(({ fate, step, reason }, at) => (
                <Fate key={at} fate={fate} step={step} reason={reason} />
              ))}
            </ol>
          </li>
        ))}
      </ol>
    </section>
  );
}

const Message = ({ kind, text, urgency }: { kind: string; text: string; urgency?: string | undefined }) => (
  <p>
    <strong>{line(kind, 20)}</strong>{' '}
    {urgency !== undefined && urgency !== 'now' && <span class="meta">{line(urgency, 20)} </span>}
    <Line text={text} most={400} />
  </p>
);
const Fate = ({ fate, step, reason }: { fate: string; step?: number | undefined; reason?: string | undefined }) => (
  <li class={`state ${tones[fate] ?? 'quiet'}`}>
    <span aria-hidden="true">{signs[fate] ?? '·'}</span> {line(fate, 20)}
    {step !== undefined && ` in step ${step}`}
    {reason !== undefined && (
      <span class="meta">
        {' '}
        <Line text={reason} most={200} />
      </span>
    )}
  </li>
);
